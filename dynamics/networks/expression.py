"""Networks from expressions such as a*(w*x_0)**2: x_0, x_1, … are the inputs, all other names are parameters.

Several outputs have semicolons between. A name that occurs several times is one parameter: weights are tied by writing
them alike. Equal parts of the expression are computed once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import sympy

from dynamics.errors import ProblemError
from dynamics.networks.network import MOST_INPUTS, Network, Parameter, shortened
from dynamics.networks.operations import Column, Operation, Product, Raised, Stack, Sum
from dynamics.networks.program import Program
from dynamics.symbolic.expressions import parse_expression
from dynamics.words import counted

INPUT = re.compile(r"x_(0|[1-9][0-9]*)")
NUMBERED = re.compile(r"x_[0-9]+")
SEPARATOR = ";"


def expression_network(text: str, inputs: int | None = None, option: str = "--network") -> Network:
    """The network of an expression.

    Parameters
    ----------
    text : str
    inputs : int, optional
        Number of inputs; by default as many as it names.
    option : str
        What the text is called in messages.

    Raises
    ------
    ProblemError
        If it is no polynomial, or an output does not depend on inputs, or one of these is beyond their number.
    """
    outputs = [parse_expression(option, part) for part in text.split(SEPARATOR)]
    names = {s.name for f in outputs for s in f.free_symbols}
    for name in sorted(filter(NUMBERED.fullmatch, names)):
        _check_input(option, name)
    numbers = {int(match[1]) for name in names if (match := INPUT.fullmatch(name))}
    if not all(any(INPUT.fullmatch(s.name) for s in f.free_symbols) for f in outputs):
        raise ProblemError(f"`{option}` is {text!r}, but must depend on inputs x_0, x_1, …")
    d = max(numbers) + 1 if inputs is None else inputs
    if max(numbers) >= d:
        allowed = "x_0" if d == 1 else f"x_0 to x_{d - 1}"
        raise ProblemError(
            f"`{option}` names the input x_{max(numbers)}, but must name only {allowed}: the network has"
            f" {counted(d, 'input')}."
        )
    parameters = sorted(
        (sympy.Symbol(name) for name in names if not INPUT.fullmatch(name)), key=sympy.default_sort_key
    )
    writer = _Writer({s: n for n, s in enumerate(parameters)}, len(parameters))
    ends = tuple(writer.number(f) for f in outputs)
    writer.add(Stack(ends))
    return Network(
        text.strip(),
        tuple(Parameter(s.name, ()) for s in parameters),
        (d,),
        Program(len(parameters), tuple(writer.steps)),
        len(outputs),
        expressions=tuple(outputs),
    )


def _check_input(option: str, name: str) -> None:
    """Refuse a name that looks like that of an input and is none: x_01, x_1000000."""
    if not INPUT.fullmatch(name) or len(name) > len(f"x_{MOST_INPUTS}") or int(name[2:]) >= MOST_INPUTS:
        raise ProblemError(
            f"`{option}` names {shortened(name)}, but inputs are called x_0, x_1, … up to x_{MOST_INPUTS - 1}, without"
            " zeros in front."
        )


@dataclass
class _Writer:
    """Turns expressions into operations; what depends on inputs is told from what does not."""

    known: dict[sympy.Expr, int]
    inputs: int  # number of the inputs, after the parameters
    steps: list[Operation] = field(default_factory=list)
    sampled: set[int] = field(default_factory=set)

    def add(self, step: Operation) -> int:
        """A further operation; its number."""
        self.steps.append(step)
        number = self.inputs + len(self.steps)
        if any(i == self.inputs or i in self.sampled for i in step.operands):
            self.sampled.add(number)
        return number

    def number(self, f: sympy.Expr) -> int:
        """Number of the value of an expression that is no number."""
        if f not in self.known:
            self.known[f] = self._write(f)
        return self.known[f]

    def _write(self, f: sympy.Expr) -> int:
        if f.is_Symbol:
            return self.add(Column(self.inputs, int(f.name.removeprefix("x_"))))
        if f.is_Pow:
            base, exponent = f.as_base_exp()
            return self.add(Raised(self.number(base), int(exponent)))
        if f.is_Add:
            return self._sum(f)
        c, rest = f.as_coeff_Mul()
        if c != 1:
            return self.add(Sum((self.number(rest),), (float(c),)))
        first, *others = (self.number(factor) for factor in sympy.Mul.make_args(f))
        for other in others:
            left, right = ("n" if i in self.sampled else "" for i in (first, other))
            first = self.add(Product(f"{left},{right}->{left or right}", (first, other)))
        return first

    def _sum(self, f: sympy.Expr) -> int:
        """A sum, operands that depend on the inputs first."""
        constant, rest = f.as_coeff_Add()
        pairs = [term.as_coeff_Mul() for term in sympy.Add.make_args(rest)]
        terms = [(self.number(term), float(c)) for c, term in pairs]
        terms.sort(key=lambda term: term[0] not in self.sampled)
        operands, factors = zip(*terms, strict=True)
        spread = tuple(operands[0] in self.sampled and i not in self.sampled for i in operands)
        return self.add(Sum(operands, factors, float(constant), spread))
