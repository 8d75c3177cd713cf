"""From `--teacher` to the limiting spectrum of S* = √d M*: a law of its own, or the eigenvalues of a teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynamics.errors import ProblemError
from quadflow.options.click_options import parse_numbers

if TYPE_CHECKING:
    from dynamics.sample_size.spectral_law import SpectralLaw
    from quadflow.options.problem import MatrixOptions

MARCHENKO_PASTUR = "marchenko-pastur:"
LARGEST_GRID = 10_000


def read_law(teacher: str | None, inputs: int | None, options: MatrixOptions) -> SpectralLaw:
    """The spectrum that `--teacher` describes; eigenvalues λ of M* are padded with zeros up to `--inputs`.

    Raises
    ------
    ProblemError
        If it is missing or not usable, has an eigenvalue below zero or more than one output.
    """
    import numpy as np

    from dynamics.sample_size.atoms import Atoms
    from dynamics.sample_size.marchenko_pastur import MarchenkoPastur
    from quadflow.options.reading import matrix_arguments, read_teacher

    if not teacher:
        raise ProblemError(
            "`--teacher` is missing: give marchenko-pastur:KAPPA, eigenvalues such as 4,2,1, or a file."
        )
    how = matrix_arguments(teacher, options)
    if teacher.startswith(MARCHENKO_PASTUR):
        try:
            kappa = float(teacher.removeprefix(MARCHENKO_PASTUR))
        except ValueError:
            raise ProblemError(
                f"`--teacher` is {teacher!r}, but must be marchenko-pastur:KAPPA, such as marchenko-pastur:0.5."
            ) from None
        return MarchenkoPastur(kappa)
    found = read_teacher(teacher, inputs, None, **how)
    if found.outputs > 1:
        raise ProblemError(
            f"`--teacher` {teacher!r} has {found.outputs} outputs, but this is known only for one."
        )
    d, lam = found.inputs, found.eigen[0][0]
    if lam.min(initial=0.0) < 0:
        raise ProblemError(
            f"`--teacher` has the eigenvalue {lam.min():g}, but units of one positive weight learn none below 0."
        )
    return Atoms(np.sqrt(d) * np.pad(lam, (0, d - len(lam))), teacher)


def parse_grid(option: str, text: str) -> list[float]:
    """Numbers A1,A2,… or a grid LOW:HIGH:COUNT."""
    import numpy as np

    from dynamics.validation import validate_real

    if ":" not in text:
        return parse_numbers(option, text)
    try:
        low, high, count = text.split(":")
        ends, number = (float(low), float(high)), int(count)
    except ValueError:
        raise ProblemError(f"`{option}` is {text!r}, but must be A1,A2,… or LOW:HIGH:COUNT.") from None
    if not 2 <= number <= LARGEST_GRID:
        raise ProblemError(f"`{option}` is {text!r}, but a grid has 2 to {LARGEST_GRID} values.")
    name = option.removeprefix("--")
    grid: list[float] = np.linspace(
        validate_real(name, ends[0]), validate_real(name, ends[1]), number
    ).tolist()
    return grid
