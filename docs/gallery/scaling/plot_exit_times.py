"""
How much the time to learn scatters
===================================

``quadflow figure exit-times``

The same unit on the sphere, four hundred times in each of two dimensions, with nothing different but its random start
and its data. See in the upper panel how late the last networks are: the slowest needs three times as long as the
median. See in the lower one, where times are scaled by the growth rate μ and shifted by what the law says, that both
dimensions have the same spread: the logarithm of a chi-square variable with one degree of freedom. The mean time grows
like ln d, its standard deviation, π/(2√2 μ), does not shrink.
"""

from empirical.experiments.exit_times import exit_times
from figures.exit_times import exit_times_figure

times = exit_times([200, 2000], 0.05)
figure = exit_times_figure(times)

# %%

print(times.summary())
