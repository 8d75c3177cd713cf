"""(3) Cost against the number of inputs: the reduction makes it a matter of one QR factorisation."""

from __future__ import annotations

import numpy as np

from benchmarks.report import Table
from benchmarks.solvers import absolute
from benchmarks.textbook import problem_of, right_hand_side, start_of
from benchmarks.timing import fastest
from dynamics import GradientFlow

INPUTS = (100, 300, 1000, 3000, 10_000, 100_000, 1_000_000)
LARGEST_TEXTBOOK = 300
HIDDEN, T_END, RTOL = 10, 3.0, 1e-10


def inputs() -> list[Table]:
    """Teacher (4, 2, 1), 10 units, the weights at the end lifted back to all inputs."""
    from scipy.integrate import solve_ivp

    rows = []
    for d in INPUTS:
        problem = problem_of(d, HIDDEN)
        times = np.linspace(0, T_END, 21)
        flow = GradientFlow(problem)
        calls = {
            "reduce": lambda problem=problem: GradientFlow(problem),
            "integrate": lambda flow=flow, times=times: flow.integrate(times=times, rtol=RTOL),
            "all": lambda problem=problem, times=times: (
                GradientFlow(problem).integrate(times=times, rtol=RTOL).W_at(-1)
            ),
        }
        if d <= LARGEST_TEXTBOOK:
            theta, atol = start_of(problem), absolute(start_of(problem), RTOL)
            calls["textbook"] = lambda problem=problem, theta=theta, times=times, atol=atol: solve_ivp(
                right_hand_side(problem), (0, T_END), theta, "DOP853", times, rtol=RTOL, atol=atol
            )
        best = fastest(calls, rounds=3)
        rows.append(
            {
                "inputs d": d,
                "reduction [s]": best["reduce"],
                "integration [s]": best["integrate"],
                "everything [s]": best["all"],
                "textbook solve_ivp DOP853 [s]": best.get("textbook"),
            }
        )
    growth = rows[-1]["everything [s]"] / rows[0]["everything [s]"]
    note = (
        f"K = {HIDDEN}, t ≤ {T_END:g}, rtol {RTOL:g} on both sides, shortest of three interleaved runs. From d = "
        f"{INPUTS[0]} to {INPUTS[-1]} the cost grows by a factor {growth:.1f}, d by {INPUTS[-1] // INPUTS[0]}."
    )
    return [Table("inputs", "(3) Number of inputs", note, rows)]
