"""Conservation laws of a product of three parameters."""

from __future__ import annotations

from collections.abc import Sequence

from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.sources import LAWS, at


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Number of laws, and dimension of the Lie algebra of the gradients."""
    import sympy

    from dynamics.laws import count_laws, polynomial

    a, b, c, x = sympy.symbols("a b c x_0")
    counted = count_laws(polynomial(a * b * c * x, [x]))
    return [Ours.of(counted.count), Ours.of(counted.lie_algebra_dimension)]


EXACT = Tolerance("Whole numbers.")
ENTRY = Entry(
    name="product-laws",
    claim="Gradient flow of x₁x₂x₃ conserves exactly two independent polynomials, differences of squares: the Lie "
    "algebra of the gradient has dimension one.",
    source=at(
        LAWS,
        "main.ipynb, outputs of part B: ([-x1^2 + x3^2, -x1^2 + x2^2], 2) and 1",
    ),
    series=(
        Series(quantity="independent laws", values=(2.0,), tolerance=EXACT),
        Series(quantity="dimension of the Lie algebra", values=(1.0,), tolerance=EXACT),
    ),
    command="quadflow conserved --network a*b*c*x_0",
    compute=compute,
)
