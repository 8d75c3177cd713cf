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
from dynamics.stationary import fixed_points, search_catalogue
from figures.atlas import atlas_figure

catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), hidden=4)
figure = atlas_figure(catalogue.feasible, search_catalogue(catalogue, 400, seed=0))

# %%

print(catalogue.summary())
