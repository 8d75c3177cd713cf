"""
Double descent, as published and as computed
============================================

``quadflow figure published``

Networks of 100 inputs and 70 units were trained without regularisation on noisy labels by the authors of
arXiv:2601.10483, who stored the errors in their repository (markers, twenty runs each). The line is our state evolution
with its correction for 100 inputs. See that the error grows towards the point where the labels can just be fitted, that
the training loss vanishes there, and that the differences, below, are within the tolerance: 2 % for the next order in
1/d, and two standard errors.
"""

from empirical.published.reproduction import reproduce
from empirical.published.table import find_drawable
from figures.published import published_figure

found = reproduce(find_drawable("double-descent"))
figure = published_figure(found)

# %%

print(found.summary())
