"""Loss and gradient flow of a two-layer quadratic network, derived from its definition.

Nothing is typed in: student f and teacher f* are built as polynomials in x whose coefficients are polynomials in
the parameters (nested `sympy.polys.rings`), the Gaussian expectation of ½ Σ_o (f*_o − f_o)² comes from
:mod:`dynamics.symbolic.moments`, the equations θ̇ = −∂L/∂θ from differentiation.

Between the two stands the residual. f* − f is a quadratic form xᵀDx, less its mean for the centred activation, and for
polynomial activations a sum of such forms of several orders. Its coefficients D_i_j are polynomials in the parameters;
they get names, the loss is derived in terms of the names and differentiated through them by the chain rule. This keeps
every expression small, and it loses nothing: the teacher being arbitrary, the D_i_j are independent of the parameters,
so an identity holds for the parameters exactly when it holds with the D_i_j as free symbols.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy.polys.rings import PolyElement

from dynamics.activations import Activation
from dynamics.activations.base import POLYNOMIALS
from dynamics.errors import ProblemError
from dynamics.inputs.laws import GAUSSIAN, InputLaw
from dynamics.problem.weight_decay import WeightDecay
from dynamics.progress import progress_bar
from dynamics.symbolic.alignment import aligned
from dynamics.symbolic.equations import (
    SECOND_LAYERS,
    Equations,
    network_symbols,
    straight_line,
    tensor_symbols,
)
from dynamics.symbolic.exact import changes, exact_array, exact_covariance, exact_decay, is_conserved
from dynamics.symbolic.export import to_latex, to_text
from dynamics.symbolic.forms import Forms
from dynamics.symbolic.input_moments import ExactLaw
from dynamics.symbolic.polynomials import ExactPolynomial, exact_polynomial
from dynamics.symbolic.size import check_derivation, derivation_size
from dynamics.validation import validate_choice, validate_count
from dynamics.words import counted


@dataclass(frozen=True, repr=False)
class Derivation(Equations):
    """Loss and gradient flow of a network with given numbers of inputs, hidden units and outputs.

    Its attributes are those of `Equations`.
    """

    def aligned(self) -> Derivation:
        """Reduced equations of the aligned modes, by substitution.

        One output: w_ki = p_k δ_ki and M* = diag(λ), for K ≤ d. Several outputs: unit k moreover feeds output k
        alone, A_ok = a_k δ_ok, and output o has the single mode o, M*_o = λ_o e_o e_oᵀ, for K ≤ O ≤ d.

        Returns
        -------
        Derivation
            With parameters ``p_i`` and ``a_i`` and targets ``lambda_i``.

        Raises
        ------
        ProblemError
            If the sizes do not allow alignment, or if the flow leaves it, which is found by substitution in the
            ODEs of the entries that should stay zero. It does with several outputs and a raw quadratic
            activation, where the trace of D_o turns on the off-diagonal A_ok, and with correlated inputs.
        """
        return aligned(self)

    def summary(self) -> str:
        """The derivation as plain text."""
        return to_text(self)

    def __repr__(self) -> str:
        modes = ", aligned modes" if self.aligned_modes else ""
        return (
            f"<Derivation: {self.units}, {self.sizes}, second layer {self.second_layer}{modes};"
            f" {counted(len(self.parameters), 'equation')}>"
        )

    def _repr_latex_(self) -> str | None:
        from dynamics.notebook import short_latex

        return short_latex(to_latex(self))

    def numeric(self) -> tuple[Callable[..., NDArray[np.float64]], Callable[..., float | NDArray]]:
        """Fast NumPy functions ``(rhs, loss)``.

        Returns
        -------
        rhs : callable (t, theta, m, s=(), rho=(), excess=()) → array
            Time derivative, in the order of `parameters`; the signature SciPy's solvers expect.
        loss : callable (theta, m, s=(), rho=(), excess=()) → float
            ``theta`` has the shape (n,) or, for a batch, (n, B); ``m`` holds the values of `targets`, ``s`` those
            of `covariance_symbols`, ``rho`` those of `decay_symbols`, ``excess`` κ where it is free. Both raise
            ProblemError if a length is wrong.
        """
        evaluate_rates = self._lambdified(list(self.residual_ode.values()))
        evaluate_loss = self._lambdified([self.residual_loss])

        def rhs(
            t: float,
            theta: ArrayLike,
            m: ArrayLike,
            s: ArrayLike = (),
            rho: ArrayLike = (),
            excess: ArrayLike = (),
        ) -> NDArray[np.float64]:
            rates = evaluate_rates(*self._columns(theta, m, s, rho, excess))
            velocity = np.empty(np.shape(theta))
            for i, rate in enumerate(rates):
                velocity[i] = rate
            return velocity

        def loss(
            theta: ArrayLike, m: ArrayLike, s: ArrayLike = (), rho: ArrayLike = (), excess: ArrayLike = ()
        ) -> float | NDArray:
            return evaluate_loss(*self._columns(theta, m, s, rho, excess))[0]

        return rhs, loss

    def _lambdified(self, expressions: list[sympy.Expr]) -> Callable[..., list[Any]]:
        arguments = (
            self.parameters,
            self.targets,
            self.covariance_symbols,
            self.decay_symbols,
            self.law.symbols,
        )
        # The expressions are polynomials: the generated code is bare arithmetic and takes floats and arrays. Roots are
        # those of numbers.
        return sympy.lambdify(
            arguments,
            expressions,
            modules=[{"sqrt": math.sqrt}],
            cse=lambda reduced: straight_line(self, reduced),
        )

    def _columns(self, *values: ArrayLike) -> list[list[Any]]:
        """Arguments as lists; of Python floats where there is no batch, whose arithmetic is the fastest."""
        expected = {
            "theta": self.parameters,
            "m": self.targets,
            "s": self.covariance_symbols,
            "rho": self.decay_symbols,
            "excess": self.law.symbols,
        }
        columns = []
        for (name, symbols), value in zip(expected.items(), values, strict=True):
            array = np.asarray(value, dtype=float)
            if array.shape[:1] != (len(symbols),):
                raise ProblemError(f"`{name}` has shape {array.shape}, but must have length {len(symbols)}.")
            columns.append(array.tolist() if array.ndim == 1 else list(array))
        return columns


def derive(
    hidden: int,
    inputs: int,
    outputs: int = 1,
    activation: Activation | str = "quadratic",
    second_layer: str = "trainable",
    second_layer_value: Any = 1,
    covariance: ArrayLike | str | None = None,
    weight_decay: WeightDecay | float | Sequence[float] | str = 0,
    teacher_activation: Activation | str | None = None,
    distribution: InputLaw | str = GAUSSIAN,
    *,
    progress: bool = False,
) -> Derivation:
    """Derive loss and gradient flow of f_o(x) = Σ_k A_ok φ(w_k·x), under x ~ N(0, Σ) or another law of the inputs.

    Parameters
    ----------
    hidden, inputs, outputs : int
        K, d, O, each at least 1.
    activation : Activation or str
        Quadratic units, φ(w·x) = (w·x)², compute the form xᵀMx of M = Σ_k a_k w_kw_kᵀ, and the teacher is any form
        xᵀM*_o x; centred ones less its mean. A polynomial φ = Σ c_nm zⁿqᵐ likewise computes Σ c_nm M[xⁿ, Σᵐ] of the
        symmetric tensors M = Σ_k a_k w_k^{⊗(n+2m)}, one for each order; homogeneous ones have one order h alone.
    second_layer : {"trainable", "fixed"}
        Whether the A_ok are parameters.
    second_layer_value : number or array that broadcasts to (O, K)
        Value of A where it is fixed.
    covariance : (d, d) array, "symbolic" or None
        Σ: numbers, which are made exact through their shortest decimal representation; symbols ``s_i_j`` with
        i ≤ j; or the identity.
    weight_decay : number, pair of numbers, or "symbolic"
        Rates ρ_w, ρ_a of the penalty ½ρ_w‖W‖² + ½ρ_a‖A‖², made exact like Σ; or the symbols ``rho_w``, ``rho_a``.
    teacher_activation : Activation or str, optional
        A polynomial ψ of the teacher, which then is Σ c*_nm M*[xⁿ, Σᵐ] for the coefficients of ψ, M* = Σ_r b_r v_r^{⊗…}
        if it is a network; D are then the coefficients of f* − f as a polynomial in x.
    distribution : InputLaw or str
        Law of the inputs, or its name. "independent:symbolic" is that of independent coordinates whose excess kurtosis
        stays the symbol ``kappa``; polynomials of a degree above 2 have their other moments from the three-point law.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    Derivation

    Raises
    ------
    ProblemError
        For sizes below one or too large, unknown names, another activation, a Σ that is no covariance matrix, laws
        without moments in closed form or with infinite ones, and independent coordinates with a Σ.

    Notes
    -----
    Derived here. The setting is that of Tan & Chen, "On the learning dynamics of two-layer quadratic neural
    networks for understanding deep learning", Front. Comput. Sci. 16 (2022) 163313, of which only the abstract
    could be consulted: the equations are a reconstruction.
    """
    K, d = validate_count("hidden", hidden), validate_count("inputs", inputs)
    O = validate_count("outputs", outputs)
    phi = Activation.parse(activation)
    psi = phi if teacher_activation is None else Activation.parse(teacher_activation)
    student, teacher = _polynomial("activation", phi), _polynomial("teacher_activation", psi)
    residual = _residual(student, teacher)
    validate_choice("second_layer", second_layer, SECOND_LAYERS)
    trainable = second_layer == "trainable"
    law = "identity" if covariance is None else "symbolic" if isinstance(covariance, str) else "numbers"
    size = derivation_size(
        K, d, O, trainable=trainable, activation=phi, covariance=law, teacher_activation=psi
    )
    check_derivation(size, f"A derivation with inputs = {d}, hidden = {K} and outputs = {O}")
    Sigma, s = exact_covariance(covariance, d)
    inputs_law = ExactLaw.of(distribution, d, Sigma is not None)
    constants = [*s, *inputs_law.symbols]
    w, a = network_symbols(K, d, O)
    m, D = tensor_symbols("m", d, O, teacher.orders), tensor_symbols("D", d, O, residual.orders)
    weights, second = ([symbol for row in rows for symbol in row] for rows in (w, a))
    parameters = weights + (second if trainable else [])
    targets = [symbol for entries in m for symbol in entries.values()]

    forms = Forms(d, [*parameters, *targets, *constants], Sigma, inputs_law)
    A = a if trainable else exact_array("second_layer_value", second_layer_value, (O, K))
    own, taught = student.factor / residual.factor, teacher.factor / residual.factor
    learned: dict[sympy.Symbol, PolyElement] = {}  # minus the student's part of D, over `own`
    entries: dict[sympy.Symbol, sympy.Expr] = {}  # D in parameters and targets
    slopes: dict[sympy.Symbol, sympy.Expr] = {}  # ∂L/∂D
    loss = sympy.S.Zero
    for o in range(O):
        minus, target = -forms.student(w, A[o], student.terms), forms.form(m[o], teacher.terms)
        for ij, D_ij in D[o].items():
            learned[D_ij], part = (forms.entry(f, ij, residual.terms) for f in (minus, target))
            entries[D_ij] = taught * part.as_expr() + own * learned[D_ij].as_expr()
        # The difference with its coefficients named, as it is a form of the tensors D.
        named = Forms(d, [*D[o].values(), *constants], Sigma, inputs_law)
        output_loss = named.half_mean_square(named.form(D[o], residual.terms)) / residual.norm
        loss += output_loss.as_expr()
        slopes |= {D_ij: own * output_loss.diff(named.element(D_ij)).as_expr() for D_ij in D[o].values()}
    bar = progress_bar(
        parameters,
        "derivation",
        shown=progress,
        remedy="lower `inputs` or `hidden`, or ask for the index-free form",
    )
    ode = {theta: _rate(learned, slopes, index) for index, theta in enumerate(bar)}

    rho = exact_decay(weight_decay, trainable)
    ode = {theta: rate - rho[index >= K * d] * theta for index, (theta, rate) in enumerate(ode.items())}
    laws = [] if phi.degree is None or not trainable else _balances(w, a, phi.degree)
    return Derivation(
        activation=phi,
        second_layer=second_layer,
        hidden=K,
        inputs=d,
        outputs=O,
        covariance=Sigma,
        covariance_symbols=tuple(s),
        parameters=tuple(parameters),
        targets=tuple(targets),
        residual=entries,
        residual_loss=loss,
        residual_ode=ode,
        conserved=tuple(law for law in laws if is_conserved(law, ode)),
        weight_decay=rho,
        decaying=_decaying(laws, rho, ode),
        teacher_activation=None if psi == phi else psi,
        law=inputs_law,
    )


def _polynomial(name: str, phi: Activation) -> ExactPolynomial:
    """The activation as a polynomial, or a sentence that refuses it."""
    polynomial = exact_polynomial(phi)
    if polynomial is None:
        remedy = ": `--format tensor` gives the index-free form" if phi.is_elementary else ""
        raise ProblemError(
            f"`{name}` is {phi.name!r}, but the symbolic flow of given sizes is known only for {POLYNOMIALS}{remedy}."
        )
    return polynomial


def _residual(student: ExactPolynomial, teacher: ExactPolynomial) -> ExactPolynomial:
    """The terms with which the difference of teacher and student is a form of the residual tensors.

    Those of the activation where one tensor of each order tells both what they are; else f* − f = Σ_n D[xⁿ].
    """
    alone = len(student.orders) == 1 and (student.orders[0], 0) in student.terms
    if student == teacher and (alone or all(m == 0 for _, m in student.terms)):
        return student
    return ExactPolynomial({(n, 0): sympy.S.One for n in sorted({*student.powers, *teacher.powers})})


def _rate(
    entries: Mapping[sympy.Symbol, PolyElement], slopes: Mapping[sympy.Symbol, sympy.Expr], index: int
) -> sympy.Expr:
    """θ̇ = −Σ ∂L/∂D · ∂D/∂θ, written common factor · Σ (monomial in the parameters) · (sum in the D).

    θ is generator number `index` of the ring of the entries.
    """
    ring = next(iter(entries.values())).ring
    groups: dict[tuple[int, ...], sympy.Expr] = {}
    for name, entry in entries.items():
        for powers, coefficient in entry.diff(index).terms():
            term = -ring.domain.to_sympy(coefficient) * slopes[name]
            groups[powers] = groups.get(powers, sympy.S.Zero) + term
    if not groups:
        return sympy.S.Zero
    common = tuple(map(min, zip(*groups, strict=True)))

    def monomial(powers: Iterable[int]) -> sympy.Expr:
        return sympy.Mul(*(symbol**n for symbol, n in zip(ring.symbols, powers, strict=True) if n))

    inner = (monomial(map(int.__sub__, powers, common)) * group for powers, group in groups.items())
    return monomial(common) * sympy.Add(*inner)


def _decaying(
    laws: Iterable[sympy.Expr],
    rho: tuple[sympy.Expr, sympy.Expr],
    ode: Mapping[sympy.Symbol, sympy.Expr],
) -> tuple[tuple[sympy.Expr, sympy.Expr], ...]:
    """Laws with the rates that decay gives them: each square θ² in them falls at the rate −2ρθ² of its layer."""
    if not any(rho):
        return ()

    def rate(law: sympy.Expr) -> sympy.Expr:
        if rho[0] == rho[1]:
            return -2 * rho[0] * law
        own = {theta: rho[theta.name.startswith("a")] for theta in law.free_symbols}
        return sympy.Add(*(-own[theta] * theta * sympy.diff(law, theta) for theta in sorted(own, key=str)))

    return tuple((law, rate(law)) for law in laws if changes(law, rate(law), ode))


def _balances(
    w: Sequence[Sequence[sympy.Symbol]], a: Sequence[Sequence[sympy.Symbol]], degree: int
) -> list[sympy.Expr]:
    """Candidates c_k = ‖w_k‖² − h Σ_o A_ok²."""
    return [
        sympy.Add(*(w_ki**2 for w_ki in w_k), *(-degree * row[k] ** 2 for row in a))
        for k, w_k in enumerate(w)
    ]
