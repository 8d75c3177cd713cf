"""
Which initial scales fail: several units
========================================

``quadflow figure scale-diagram``

For several units success is a matter of chance: enough units must be, or be able to become, positive and
negative. The fraction of successes over the scales of the first and of the second layer, predicted from the
initial weights (left) and trained from the same (right). See that both pictures agree, start by start, and
that above the dashed line, where the first layer is the larger, nearly all starts succeed, while below it the
signs are frozen and luck decides. Of sixteen starts per square, a fraction has a standard error of up to ⅛:
so much neighbours may differ.
"""

from empirical.experiments.phase_diagram import grid_of_scales, scale_diagram
from figures.phase_diagram import scale_diagram as draw

scales = grid_of_scales(9)
figure = draw(scale_diagram([2, -1.9], scales, scales, hidden=4, replicates=16))
