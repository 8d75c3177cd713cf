"""
How the loss ends
=================

``quadflow figure late-time``

Where units are to spare, the loss ends in a power law, and which one depends on the second layer and on the
conserved quantity. See that the flows (lines) settle on the closed forms (thin straight lines), with no
constant fitted.
"""

from empirical.experiments.late_time import late_time
from figures.late_time import late_time_figure

curves = late_time([2, 1], inputs=5, step=2e-3, batch=512)
figure = late_time_figure(curves)
