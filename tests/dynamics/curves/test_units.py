"""Drift of c_k unit by unit, by hand."""

import numpy as np

from dynamics.curves.units import unit_drift


def test_one_network_and_several():
    """Two units at three times; three networks whose drifts differ: the median."""
    c = np.array([[1.0, -2.0], [1.5, -2.0], [0.9, -1.0]])
    found = unit_drift(c)
    np.testing.assert_allclose(found["initial"], [1, -2])
    np.testing.assert_allclose(found["drift"], [0.5, 1.0])
    several = unit_drift([c, c[:1] + 3 * (c - c[:1]), c[:1] + 2 * (c - c[:1])])
    np.testing.assert_allclose(several["initial"], [1, -2])
    np.testing.assert_allclose(several["drift"], [1.0, 2.0])
