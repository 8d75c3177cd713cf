"""All paths of a network one by one, and which edges each of them uses."""

from itertools import pairwise, product

import numpy as np


def enumerate_paths(widths):
    """All paths from inputs to outputs as the units they pass, (paths, L + 1)."""
    return np.array(list(product(*map(range, widths))))


def incidence(widths):
    """Edge–path incidence matrix, (paths, m); edges are ordered as the entries of W_1, …, W_L, row by row."""
    paths = enumerate_paths(widths)
    blocks = []
    for l, (n_in, n_out) in enumerate(pairwise(widths)):
        edge = paths[:, l + 1] * n_in + paths[:, l]
        blocks.append(np.eye(n_in * n_out, dtype=np.int64)[edge])
    return np.hstack(blocks)


def incidence_rank(widths):
    """Rank of the incidence matrix: how many path values are independent."""
    return int(np.linalg.matrix_rank(incidence(widths).astype(float)))
