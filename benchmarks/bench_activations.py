"""(7) One right-hand side of other activations, against the quadratic network's, which has a form of its own."""

from __future__ import annotations

import numpy as np

from benchmarks.report import Table
from benchmarks.timing import fastest
from dynamics import Problem, Student, Teacher

UNITS, INPUTS, ROUNDS = 16, 32, 60
NAMES = (
    "quadratic",
    "relu",
    "polynomial:0,1,0,0.3",
    "erf",
    "gelu",
    "relu2",
    "tanh",
    "sigmoid",
    "softplus",
    "silu",
)
SLOW = "elu"  # a mixture of 137 widths
GOALS = {"erf": 30, "gelu": 75, "tanh": 300}


def activations() -> list[Table]:
    """16 hidden units and 16 of the teacher's, 32 inputs: velocity and product with the Hessian."""
    rng = np.random.default_rng(0)
    V, W, dW = (rng.standard_normal((UNITS, INPUTS)) / np.sqrt(INPUTS) for _ in range(3))
    B, A, dA = (rng.standard_normal((1, UNITS)) for _ in range(3))
    losses = {name: Problem(Teacher(V, B), Student(W, A), name).population for name in (*NAMES, SLOW)}
    calls = {
        "velocity": lambda loss: loss.velocity(W, A),
        "product": lambda loss: loss.hessian_vector(W, A, dW, dA),
    }
    best = {}
    for kind, call in calls.items():
        for loss in losses.values():
            call(loss)  # what is kept between calls is made
        runs = {name: (lambda call=call, loss=loss: call(loss)) for name, loss in losses.items()}
        best[kind] = fastest({name: run for name, run in runs.items() if name != SLOW}, ROUNDS)
        best[kind] |= fastest({SLOW: runs[SLOW]}, 2)
    rows = [
        {
            "activation": name,
            "velocity [ms]": 1e3 * best["velocity"][name],
            "velocity / quadratic": best["velocity"][name] / best["velocity"]["quadratic"],
            "goal": GOALS.get(name),
            "Hessian times vector [ms]": 1e3 * best["product"][name],
            "product / quadratic": best["product"][name] / best["product"]["quadratic"],
        }
        for name in losses
    ]
    note = (
        f"K = R = {UNITS}, d = {INPUTS}, the same weights for all; shortest of {ROUNDS} interleaved runs (of 2 for "
        f"{SLOW}), one thread. tanh, sigmoid, softplus and SiLU are mixtures of 20 widths, ELU one of 137."
    )
    return [Table("activations", "(7) One right-hand side of any activation", note, rows)]
