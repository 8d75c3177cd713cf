"""The method of order 5 of Tsitouras: for loose tolerances, with an interpolant that costs no evaluation.

Coefficients, the estimate of order 4 and the interpolant of order 4 are those of Tsitouras [Runge–Kutta pairs of order
5(4) satisfying only the first column simplifying assumption, Computers & Mathematics with Applications 62 (2011)
770–775; not consulted], as figures of diffrax's, rounded to double precision. Which orders they have is tested.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.runge_kutta import methods_of
from dynamics.integration.tableau import Tableau

ROWS: tuple[tuple[float, ...], ...] = (
    (),
    (0.161,),
    (-0.008480655492356989, 0.335480655492357),
    (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
    (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
    (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383),
    (0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774),
)
NODES = (0, 0.161, 0.327, 0.9, 0.9800255409045097, 1, 1)
FOURTH = (
    0.09468075576583945,
    0.009183565540343254,
    0.4877705284247616,
    1.234297566930479,
    -2.7077123499835256,
    1.866628418170587,
    1 / 66,
)  # the state of order 4
# factors b_j(x)/x² of the interpolant, but for j = 0: leading coefficient, sum and product of the roots
QUADRATICS = (
    (0.1017, 2.1966568338249754, 1.2949852507374631),
    (2.490627285651252793, 2.38535645472061657, 1.57803468208092486),
    (
        -16.54810288924490272,
        1.21712927295533244 + 0.61620406037800089,
        1.21712927295533244 * 0.61620406037800089,
    ),
    (
        47.37952196281928122,
        1.203071208372362603 + 0.658047292653547382,
        1.203071208372362603 * 0.658047292653547382,
    ),
    (-34.87065786149660974, 1.2 + 2 / 3, 1.2 * 2 / 3),
    (2.5, 1.6, 0.6),
)


def _dense() -> Array:
    """The interpolant in powers x … x⁴, and from these in the basis of `Tableau`."""
    first = -1.0530884977290216 * np.polymul(
        [1, -1.3299890189751412], [1, -1.4364028541716351, 0.7139816917074209]
    )
    others = [lead * np.array([1, -total, product, 0]) for lead, total, product in QUADRATICS]
    c1, c2, c3, c4 = np.stack([first, *others], axis=1)[::-1]
    return np.stack([c1 + c2 + c3 + c4, -c2 - c3 - c4, -c3 - 2 * c4, c4])


TABLEAU = Tableau("Tsit5", 4, ROWS, NODES, 6, np.array([[*ROWS[-1], 0]]) - [FOURTH], _dense())
TSIT5, COMPILED_TSIT5 = methods_of(TABLEAU)
