"""The benchmarks by name. A new one is a function that returns tables, and a line here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: `function` of `benchmarks.module` returns its tables.

    Parameters
    ----------
    module, function, about : str
    arguments : tuple of int
        What the function is called with.
    by_name : bool
        Whether it is run only if it is named.
    """

    module: str
    function: str
    about: str
    arguments: tuple[int, ...] = ()
    by_name: bool = False


BENCHMARKS: dict[str, Benchmark] = {
    "small": Benchmark("bench_trajectory", "small", "one trajectory of 4 inputs and 3 units"),
    **{
        f"large-{R}": Benchmark(
            "bench_trajectory", "large", f"one of 100 inputs and 50 units, a teacher of {R} modes", (R,)
        )
        for R in (3, 5, 50, 100)
    },
    "many-modes": Benchmark("bench_trajectory", "many_modes", "one with 500 modes in 1000 inputs"),
    "many-outputs": Benchmark("bench_trajectory", "many_outputs", "one with 100 outputs"),
    "default": Benchmark(
        "bench_trajectory", "default", "large ones at the default tolerance, against version 0.1"
    ),
    "single-mode": Benchmark("bench_initial_conditions", "single_mode", "10⁴ starts of one unit"),
    "four-units": Benchmark("bench_initial_conditions", "four_units", "10³ starts of four units"),
    "inputs": Benchmark("bench_inputs", "inputs", "cost against the number of inputs, up to 10⁶"),
    "training": Benchmark("bench_training", "training", "steps of training, one network and 32"),
    "derivation": Benchmark("bench_symbolic", "derivation", "equations derived symbolically"),
    "moments": Benchmark("bench_symbolic", "moments", "moments of quadratic forms"),
    "catalogue": Benchmark("bench_fixed_points", "catalogue", "fixed points against the number of modes"),
    "activations": Benchmark("bench_activations", "activations", "right-hand sides of all activations"),
    "fourth-moment": Benchmark("bench_fourth_moment", "fourth_moment", "right-hand sides of other inputs"),
    "commands": Benchmark(
        "bench_commands", "commands", "every command of README and tour, every figure: minutes", by_name=True
    ),
}
