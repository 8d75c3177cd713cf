"""
How long until it learns anything
=================================

``quadflow figure escape-times``

One unit on the sphere starts with an overlap of about d^(−1/2) with its teacher, and at first hardly moves. How long
that takes is decided by the first Hermite polynomial that student and teacher share. See in the upper panel that
networks trained by gradient descent (markers, with quartiles) lie on the flow, whose time grows like ln d, √d and d for
the orders 2, 3 and 4 (dotted: the leading terms, with their prefactors). See in the lower one what the noise of SGD
does, one sample a step: it makes the unit slower by the factor 1/(1 − 3ηd), and from ηd = 1/3 on nothing is learned,
however long one waits.
"""

from empirical.experiments.escape import escape_times
from figures.escape_times import escape_times_figure

times = escape_times(
    ["hermite:2", "hermite:3", "hermite:4"],
    [896, 112, 28],
    [0.05, 0.1, 0.15, 0.2, 0.25, 0.4],
)
figure = escape_times_figure(times)

# %%

print(times.summary())
