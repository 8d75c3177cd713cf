"""
Every stationary point, and a search that does not know them
============================================================

``quadflow figure atlas``

The catalogue lists all losses at which the gradient vanishes (dotted levels, named by the set of learned
modes) and the Morse index, the number of directions that lead down (crosses). On one level there are several:
spare units have ways down to modes of their own sign only, and those with a = 0 and w = 0 have none. See that a
blind numerical search from random starts (open markers) ends at crosses and nowhere else. {2, 3} without mode 1 is
stationary too, but high.
"""

from dynamics import Teacher
from dynamics.stationary import fixed_points, points_of_all_signs, search_catalogue
from figures.atlas import atlas_figure

catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), hidden=4)
figure = atlas_figure(
    points_of_all_signs(catalogue), search_catalogue(catalogue, 400, seed=0)
)

# %%

print(catalogue.summary())
