"""Losses of committees with given weights, as computed by others with Mathematica and in Python."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from empirical.published.entry import Entry, Ours, Series, Source, Tolerance

# w (student) and B (teacher), unit by unit; pre-activations there are w·x/√N
SOFT_W = (
    *(0.34998185, -0.51730095, -1.27672365, 0.15857457, 0.80636752),
    *(-1.30266436, 1.04553608, -1.40581276, -0.40119664, 0.31838932),
    *(0.25096269, -0.70390653, -1.60709434, -1.4129378, 0.29695629),
    *(-0.22066656, -0.06572677, -0.59777609, -0.83076419, -0.17760066),
    *(1.35757829, -0.90800698, -1.06598149, 0.93462077, 0.38120508),
    *(-0.11103256, 0.20648807, -0.14869054, 1.72580801, 0.59446499),
)  # fmt: skip
SOFT_B = (
    *(-0.82269399, -0.36359333, -0.24440212, 0.49828238, 0.61007546),
    *(0.82557495, -0.28769147, 0.24358059, -1.31009873, -1.15591452),
    *(-0.28590803, -0.79115683, 0.40729374, 0.4940799, -1.17793196),
    *(0.56464427, 1.99950537, 0.64308283, 0.31500115, 0.18630809),
)  # fmt: skip
BOTH_W = (
    *(1.04404, 0.583583, 1.43897, 0.963895, 0.795075),
    *(-0.864295, -0.911849, 2.02883, 0.783554, -1.01488),
    *(-0.451547, -0.772216, 0.780296, 0.799456, -0.0126815),
)  # fmt: skip
BOTH_B = (
    *(-0.878181, -0.675171, 0.200794, -0.385201, -1.47387),
    *(-0.0760653, -0.450636, 0.887182, 0.376101, -0.0873384),
)  # fmt: skip
BOTH_V, BOTH_A = (-1.3598, -0.0671005, -0.395626), (0.965846, -1.40304)
CASES = (  # activation, W, second layer, teacher's units, her second layer
    ("erf", np.reshape(SOFT_W, (3, 10)), (1.0, 1.0, 1.0), np.reshape(SOFT_B, (2, 10)), (1.0, 1.0)),
    ("erf", np.reshape(BOTH_W, (3, 5)), BOTH_V, np.reshape(BOTH_B, (2, 5)), BOTH_A),
    ("linear", np.reshape(BOTH_W, (3, 5)), BOTH_V, np.reshape(BOTH_B, (2, 5)), BOTH_A),
)


def loss(activation: str, W: np.ndarray, a: tuple[float, ...], B: np.ndarray, b: tuple[float, ...]) -> float:
    """Population loss of one of the cases."""
    from dynamics.problem import Problem, Student, Teacher

    root = np.sqrt(W.shape[1])
    student = Student(W / root, np.array([a]))
    problem = Problem(Teacher(B / root, np.array(b)), student, activation=activation)
    return float(problem.population.loss(student.W, student.A))


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """The losses."""
    return [Ours.of([loss(*case) for case in CASES])]


ENTRY = Entry(
    name="committee-losses",
    claim="The loss of a committee in closed form: soft committee of 3 erf units against 2, both layers of erf units, "
    "and of linear ones, at given weights.",
    source=Source(
        paper="Goldt, Advani, Saxe, Krzakala, Zdeborová, arXiv:1906.08632, as the repository names it",
        address="github.com/sgoldt/nn2pp",
        place="test_nn2pp.cpp (tests eg_erf_scm, eg_erf_both, eg_lin_both)",
        commit="8e305cc7f89762de22df851e3f9bea46f5c88e24",
    ),
    series=(
        Series(
            quantity="loss",
            values=(1.08045, 0.0803271, 0.287911),
            names=("erf, second layers of ones", "erf, both layers", "linear, both layers"),
            tolerance=Tolerance("Six digits are given, of losses at weights with six digits.", absolute=6e-6),
        ),
    ),
    command="quadflow simulate --activation erf --teacher teacher.npz --init-file start.npz --t-end 0",
    compute=compute,
    files="start.npz: W, a and teacher.npz: V, b as in the test, rows of W and V divided by √N.",
)
