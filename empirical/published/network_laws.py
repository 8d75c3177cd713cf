"""Conservation laws of linear and ReLU networks drawn at random: are there more than the known ones?"""

from __future__ import annotations

from collections.abc import Sequence

from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.sources import LAWS, at

# Inputs, hidden units and outputs of the networks with one hidden layer among those that the notebook draws.
LINEAR = (
    *((5, 3, 2), (5, 2, 5), (5, 4, 2), (2, 2, 3), (3, 4, 4), (3, 3, 5), (4, 2, 5), (5, 2, 2), (2, 4, 5)),
    *((5, 4, 5), (4, 2, 3), (2, 4, 2), (2, 3, 4), (3, 4, 5), (5, 5, 2), (3, 3, 4), (2, 5, 5), (2, 5, 3)),
)  # fmt: skip
RELU = (  # biases of the hidden units are the weights of one more input, and counted there
    *((9, 7, 2), (3, 6, 4), (5, 2, 5), (4, 5, 2), (8, 7, 8), (4, 3, 9), (3, 8, 9), (4, 4, 6), (3, 7, 8)),
    *((5, 9, 2), (6, 5, 6), (7, 5, 7), (9, 3, 4), (8, 2, 5), (5, 2, 6), (5, 4, 7), (6, 2, 6)),
)  # fmt: skip


def parameters(size: tuple[int, int, int]) -> int:
    """How many weights a network has."""
    inputs, hidden, outputs = size
    return hidden * (inputs + outputs)


def few(sizes: Sequence[tuple[int, int, int]]) -> tuple[int, ...]:
    """The three smallest networks."""
    return tuple(sorted(range(len(sizes)), key=lambda i: parameters(sizes[i]))[:3])


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Number of laws of every network: parameters minus dimension of the Lie algebra of the gradients."""
    from dynamics.laws import count_laws, linear, relu

    counted = []
    for make, sizes in ((linear, LINEAR), (relu, RELU)):
        chosen = [sizes[i] for i in few(sizes)] if quick else sizes
        counted.append(Ours.of([count_laws(make(*size)).count for size in chosen]))
    return counted


def named(sizes: Sequence[tuple[int, int, int]]) -> tuple[str, ...]:
    """Sizes as people write them."""
    return tuple("-".join(map(str, size)) for size in sizes)


EXACT = Tolerance("Whole numbers.")
ENTRY = Entry(
    name="network-laws",
    claim="Linear and ReLU networks have no conservation laws but the known ones, in 50 and 50 networks drawn at "
    "random: r(r + 1)/2 for r hidden linear units, one for each hidden ReLU unit.",
    source=at(
        LAWS,
        "main.ipynb, parts C and D: loops over 50 networks of seed 0, whose assertions passed; those with one "
        "hidden layer",
    ),
    series=(
        Series(
            quantity="laws",
            case="linear",
            values=tuple(r * (r + 1) / 2 for _, r, _ in LINEAR),
            names=named(LINEAR),
            few=few(LINEAR),
            tolerance=EXACT,
        ),
        Series(
            quantity="laws",
            case="ReLU",
            values=tuple(float(r) for _, r, _ in RELU),
            names=named(RELU),
            few=few(RELU),
            tolerance=EXACT,
        ),
    ),
    command="quadflow conserved --model linear --inputs 5 --hidden 3 --outputs 2",
    compute=compute,
    found="Of the linear networks the notebook computes the number of known laws, the rank of the gradients of "
    "U₁ᵀU₁ − U₂U₂ᵀ, and does not print it: r(r + 1)/2 is that rank. Deeper networks are not counted here.",
)
