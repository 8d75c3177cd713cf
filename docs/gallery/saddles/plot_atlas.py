"""
Every stationary point, and a search that does not know them
============================================================

``quadflow figure atlas``

The catalogue lists all losses at which the gradient vanishes (dotted levels, named by the set of learned
modes) and the Morse index, the number of directions that lead down (crosses, where spare units are positive).
See that a blind numerical search from random starts (open markers) finds roots on these levels and nowhere
else; on one level they differ in the index, because spare units of the other sign have other ways down. {2,3}
without mode 1 is stationary too, but high.
"""

from dynamics import Teacher
from dynamics.stationary import (
    catalogue_flow,
    fixed_points,
    match_fixed_points,
    search_fixed_points,
)
from figures.atlas import atlas

catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), hidden=4)
found = search_fixed_points(catalogue_flow(catalogue, seed=0), 100, seed=0)
figure = atlas(catalogue.feasible, match_fixed_points(found, catalogue))

# %%

print(catalogue.summary())
