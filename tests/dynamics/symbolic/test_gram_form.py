"""Two independent derivations, by moment tensors and by the Hermite-mean series, and programs against populations."""

import itertools
from math import factorial, prod, sqrt

import numpy as np
import pytest
import sympy
from matplotlib.mathtext import MathTextParser

from dynamics.activations import Activation
from dynamics.errors import ProblemError
from dynamics.population.gram_pairs import GramPairs
from dynamics.symbolic.derivation import derive
from dynamics.symbolic.exact import vanishes
from dynamics.symbolic.gram_code import gram_python
from dynamics.symbolic.gram_form import derive_gram, gram_json, gram_latex, gram_text
from dynamics.symbolic.gram_kernels import c, p, q, sigma, theta
from dynamics.symbolic.polynomials import exact_polynomial

SIGMA = np.array([[1.5, 0.25], [0.25, 0.5]])
CUBIC, OTHER = "polynomial:0.3,-1,0.5,0.25", "polynomial:0,1,0,-0.1"
COMPARED = [  # activation, teacher, K, d, O, second layer, covariance, decay
    (CUBIC, None, 1, 2, 1, "trainable", None, 0),
    (CUBIC, None, 2, 2, 1, "trainable", SIGMA, "symbolic"),
    ("polynomial:0,0,0,1", None, 2, 1, 2, "fixed", None, [0.1, 0]),
    (OTHER, "polynomial:1,0,0.5", 1, 2, 1, "trainable", "symbolic", [0.1, 0.2]),
    ("hermite:3", None, 1, 2, 1, "trainable", SIGMA, 0),
    ("hermite:2", "hermite:3", 1, 2, 2, "fixed", SIGMA, 0),
    ("centred", "polynomial:0,0,0,0,1", 1, 2, 1, "trainable", SIGMA, 0),
    ("quadratic", None, 2, 2, 1, "trainable", SIGMA, 0.5),
]
ELEMENTARY = ["hermite:4", "gelu", "relu", "abs", "leaky-relu:0.9", CUBIC, "relu2", "erf", "hermite:3"]
WORKED = ("polynomial:0.3,-1,0.7,0.2,-0.5,0.1", "polynomial:1,0.4,-0.3,0.6,0.2,0,0.05")  # theory, section 9.2


def at(kernel, u, v, Sigma):
    """A kernel at two vectors of symbols."""
    values = {p: (u.T * Sigma * u)[0], c: (u.T * Sigma * v)[0], q: (v.T * Sigma * v)[0]}
    return kernel.xreplace(values)


class Assembled:
    """Loss and flow in symbols for K, d and O, two teacher units, from the kernels of an index-free form."""

    def __init__(self, form, derivation, R=2):
        self.form, K, d, O = form, derivation.hidden, derivation.inputs, derivation.outputs
        name = "a_{o}_{k}" if O > 1 else "a_{k}"
        self.w = [sympy.Matrix(sympy.symbols([f"w_{k}_{i}" for i in range(d)])) for k in range(K)]
        self.v = [sympy.Matrix(sympy.symbols([f"v_{r}_{i}" for i in range(d)])) for r in range(R)]
        trained = derivation.second_layer == "trainable"
        self.A = sympy.Matrix(
            O, K, lambda o, k: sympy.Symbol(name.format(o=o, k=k)) if trained else sympy.S.One
        )
        self.B = sympy.Matrix(O, R, lambda o, r: sympy.Symbol(f"b_{o}_{r}"))
        self.Sigma = sympy.eye(d) if derivation.covariance is None else derivation.covariance

    def pairs(self, kernel, part, U, V, left, right):
        return sum(
            ((left.T * right)[i, j] * at(getattr(kernel, part), u, v, self.Sigma))
            for (i, u), (j, v) in itertools.product(enumerate(U), enumerate(V))
        )

    @property
    def loss(self):
        form, w, v, A, B = self.form, self.w, self.v, self.A, self.B
        return (
            self.pairs(form.student, "value", w, w, A, A) / 2
            - self.pairs(form.cross, "value", w, v, A, B)
            + self.pairs(form.teacher, "value", v, v, B, B) / 2
        )

    def w_dot(self, k):
        total = sympy.zeros(len(self.w[0]), 1)
        for kernel, units, second, sign in (
            (self.form.cross, self.v, self.B, 1),
            (self.form.student, self.w, self.A, -1),
        ):
            for j, u in enumerate(units):
                by_c, by_p = (at(part, self.w[k], u, self.Sigma) for part in (kernel.by_c, kernel.by_p))
                weight = sign * (self.A[:, k].T * second[:, j])[0]
                total += weight * self.Sigma * (by_c * u + 2 * by_p * self.w[k])
        return total

    def a_dot(self, o, k):
        learned = sum(
            self.B[o, r] * at(self.form.cross.value, self.w[k], v, self.Sigma) for r, v in enumerate(self.v)
        )
        return learned - sum(
            self.A[o, l] * at(self.form.student.value, self.w[k], w, self.Sigma) for l, w in enumerate(self.w)
        )

    def targets(self, derivation):
        """The moment tensors Σ_r b_r v_r ⊗ … ⊗ v_r of the teacher, by the names of the targets."""
        values = {}
        for m in derivation.targets:
            indices = [int(i) for i in m.name.split("_")[1:] if i != "c"]
            o = indices.pop(0) if derivation.outputs > 1 else 0
            values[m] = sum(self.B[o, r] * prod(v[i] for i in indices) for r, v in enumerate(self.v))
        return values


@pytest.mark.parametrize(("phi", "psi", "K", "d", "O", "second_layer", "covariance", "decay"), COMPARED)
def test_two_derivations_agree_identically(phi, psi, K, d, O, second_layer, covariance, decay):
    """Moments of x, expanded, against the Hermite-mean series: their difference expands to zero."""
    derivation = derive(K, d, O, phi, second_layer, 1, covariance, decay, psi)
    assembled = Assembled(derive_gram(phi, psi, second_layer), derivation)
    targets = assembled.targets(derivation)
    assert vanishes(derivation.loss.subs(targets) - assembled.loss)
    rho_w, rho_a = derivation.weight_decay
    ode = {name: rate.subs(targets) for name, rate in derivation.ode.items()}
    for k, w in enumerate(assembled.w):
        for w_i, rate in zip(w, assembled.w_dot(k), strict=True):
            assert vanishes(ode[w_i] - rate + rho_w * w_i)
    if second_layer == "trainable":
        for o, k in itertools.product(range(O), range(K)):
            a = assembled.A[o, k]
            assert vanishes(ode[a] - assembled.a_dot(o, k) + rho_a * a)


def test_worked_kernels():
    """Theory, section 9.2: z³, z⁴, z² × z⁴, ReLU × z²; erf of section 9.3."""

    def value(phi, psi=None):
        return derive_gram(phi, psi).cross.value

    assert value("polynomial:0,0,0,1") == 9 * p * q * c + 6 * c**3
    assert vanishes(value("polynomial:0,0,0,0,1") - (9 * p**2 * q**2 + 72 * p * c**2 * q + 24 * c**4))
    assert vanishes(value("quadratic", "polynomial:0,0,0,0,1") - (3 * p * q**2 + 12 * c**2 * q))
    mixed = value("relu", "quadratic") - (sympy.sqrt(p) * q + c**2 / sympy.sqrt(p)) / sympy.sqrt(2 * sympy.pi)
    assert sympy.simplify(mixed) == 0
    form = derive_gram("erf").student
    assert (form.value, form.by_c) == (2 * theta / sympy.pi, 2 / (sympy.pi * sigma))
    assert form.square == (1 + p) * (1 + q) - c**2


def test_worked_number_of_a_quintic_and_a_sextic():
    """Theory, section 9.2, at s = 1.3, t = .7, r = −.62; all its digits are those of an exact rational."""
    s, t, r = sympy.Rational(13, 10), sympy.Rational(7, 10), sympy.Rational(-62, 100)
    g = derive_gram(*WORKED).cross.value.subs({p: s**2, c: s * t * r, q: t**2})
    assert g.is_Rational
    assert abs(float(g) + 10.3652070344964) < 5e-14


def test_coefficients_are_exact():
    """Decimals are the rationals that they look like; He₅/√5! has unit norm at unit variance, exactly."""
    assert exact_polynomial(Activation.parse("polynomial:0,0.1,1e-3")).terms == {
        (1, 0): sympy.Rational(1, 10),
        (2, 0): sympy.Rational(1, 1000),
    }
    kernel = derive_gram("hermite:5").student.value
    assert sympy.expand(kernel.subs({p: 1, q: 1})) == c**5
    mean = exact_polynomial(Activation.parse("hermite:20")).mean(20, sympy.S.One)
    assert mean == sympy.sqrt(factorial(20))


@pytest.mark.parametrize(
    ("phi", "psi"), [*zip(ELEMENTARY, ELEMENTARY, strict=True), *itertools.pairwise(ELEMENTARY)]
)
def test_kernels_are_those_of_the_populations(phi, psi):
    """Value and both derivatives against `PairPopulation`'s kernels, which are other formulas, to rounding."""
    from dynamics.activations.pairing import kernel_of

    one, other = Activation.parse(phi), Activation.parse(psi)
    rng = np.random.default_rng(3)
    pairs = GramPairs(rng.standard_normal((4, 3)), rng.standard_normal((5, 3)))
    kernel = derive_gram(phi, psi).cross
    numbers = np.broadcast_arrays(pairs.q1, pairs.s, pairs.q2)
    for part, expected in zip(
        (kernel.value, kernel.by_c, kernel.by_p), kernel_of(one, other)(pairs, "", "s", "1"), strict=True
    ):
        evaluate = sympy.lambdify((p, c, q), kernel.plain(part), "numpy")
        np.testing.assert_allclose(
            evaluate(*numbers) * np.ones((4, 5)), expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max()
        )


@pytest.mark.parametrize(
    ("phi", "psi", "second_layer", "correlated", "decayed"),
    [
        (CUBIC, None, "trainable", True, False),
        ("hermite:3", "erf", "trainable", False, True),
        ("erf", None, "fixed", True, True),
        ("gelu", None, "trainable", False, False),
        ("relu", "quadratic", "trainable", True, False),
        ("relu", None, "trainable", False, False),
        ("leaky-relu:0.1", "erf", "trainable", False, False),
        ("relu2", None, "trainable", True, False),
    ],
)
def test_the_program_computes_the_population_gradient(phi, psi, second_layer, correlated, decayed):
    """Exported Python module, run, against the closed-form population of the same pair, to 1e-11."""
    rng = np.random.default_rng(1)
    W, A = rng.standard_normal((3, 4)), rng.standard_normal((2, 3))
    V, B = rng.standard_normal((2, 4)), rng.standard_normal((2, 2))
    F = rng.standard_normal((4, 4))
    Sigma = F @ F.T / 4 + np.eye(4) if correlated else None
    module = {}
    exec(gram_python(derive_gram(phi, psi, second_layer, correlated, decayed)), module)
    population = Activation.parse(phi).loss(V, B, Sigma, psi)
    law = [Sigma] if correlated else []
    trained = second_layer == "trainable"
    rates = [0.3, 0.2][: 1 + trained] if decayed else []
    assert module["loss"](W, A, V, B, *law) == pytest.approx(population.loss(W, A), rel=1e-11)
    velocity = module["velocity"](W, A, V, B, *law, *rates)
    expected = [
        dX - rate * X
        for dX, X, rate in zip(population.velocity(W, A), (W, A), (*rates, 0, 0)[:2], strict=True)
    ]
    for found, value in zip(velocity if trained else [velocity], expected, strict=False):
        np.testing.assert_allclose(found, value, rtol=1e-11, atol=1e-11 * np.abs(value).max())


def test_text_and_latex():
    """Symbols of the text are said; LaTeX parses; what teacher and student share is written once."""
    text = gram_text(derive_gram("hermite:3", correlated=True, decayed=True))
    assert "3*c*p*q/2" in text and "λ" not in text and "Σv_m" in text and "− ρ_a A_ok" in text
    assert "c_k =" not in text
    text = gram_text(derive_gram("relu2", "erf"))
    assert all(letter in text for letter in "κλμ")
    assert "Conserved   c_k = ‖w_k‖² − 2 Σ_o A_ok²" in text
    assert "dA_ok/dt" not in gram_text(derive_gram("erf", second_layer="fixed"))
    assert r"\dot{A}_{ok} &=" not in gram_latex(derive_gram("erf", second_layer="fixed"))
    latex = gram_latex(derive_gram("gelu", "relu"))
    assert r"\dot{w}_k &=" in latex and r"\dot{A}_{ok} &=" in latex
    for row in latex.splitlines()[1:-1]:
        plain = row.replace("&", "").replace("\\\\", "").replace("\\bigl[", "[").replace("\\bigr]", "]")
        MathTextParser("path").parse(
            f"${plain.replace(chr(92) + 'Bigl[', '[').replace(chr(92) + 'Bigr]', ']')}$"
        )


def test_angles_and_roots_in_formulas_are_defined():
    """Of the arc-cosine kernel σ² = pq − c², one definition for each kernel; polynomials have neither."""
    form = derive_gram("relu")
    assert r"\sigma &= \sqrt{p q - c^{2}}, \quad \theta = \operatorname{atan2}(c, \sigma) \\" in gram_latex(
        form
    )
    assert "with sigma = sqrt(p*q - c**2), theta = atan2(c, sigma)" in gram_text(form)
    assert gram_latex(derive_gram("gelu", "relu")).count(r"\sigma &=") == 3
    assert gram_text(derive_gram("gelu", "relu")).count("with sigma =") == 3
    polynomial = derive_gram("hermite:3")
    assert "sigma" not in gram_latex(polynomial) + gram_text(polynomial)


def test_json_kernels_parse():
    """Strings of p, c and q alone: at the same vector E erf² of section 9.3, (2/π) asin(1/2) for unit weights."""
    kernels = gram_json(derive_gram("erf"))
    assert list(kernels) == ["student"]
    names = {"p": p, "c": c, "q": q}
    value = sympy.sympify(kernels["student"]["kernel"], locals=names).subs({p: 1, c: 1, q: 1})
    assert float(value) == pytest.approx(2 / np.pi * np.arcsin(0.5), rel=1e-15)


@pytest.mark.parametrize("name", ["tanh", "silu", "softplus", "elu"])
def test_long_kernels_are_refused(name):
    with pytest.raises(
        ProblemError, match=f"The activation '{name}' has no derivation in symbols, but polynomials"
    ):
        derive_gram("quadratic", name)


def test_roots_in_programs_for_given_sizes():
    """√(3!·2!) between He₂ and He₃ teachers, in NumPy functions and exported Python, against the population."""
    from dynamics.symbolic.code_export import to_python

    rng = np.random.default_rng(2)
    W, A, V, B = (rng.standard_normal(shape) for shape in ((2, 2), (1, 2), (2, 2), (1, 2)))
    derivation = derive(2, 2, 1, "hermite:2", teacher_activation="hermite:3")
    tensors = [np.einsum("r,ri->i", B[0], V), np.einsum("r,ri,rj,rk->ijk", B[0], V, V, V)]
    m = [
        tensors[len(name.name.split("_")) > 2][tuple(int(i) for i in name.name.split("_")[1:])]
        for name in derivation.targets
    ]
    theta0 = np.concatenate([W.ravel(), A.ravel()])
    population = Activation.parse("hermite:2").loss(V, B, None, "hermite:3")
    expected = np.concatenate([part.ravel() for part in population.velocity(W, A)])
    module = {}
    exec(to_python(derivation), module)
    rhs, loss = derivation.numeric()
    for found, value in (
        (rhs(0, theta0, m), loss(theta0, m)),
        (module["rhs"](0, theta0, m), module["loss"](theta0, m)),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert value == pytest.approx(population.loss(W, A), rel=1e-12)
    assert sqrt(6) == pytest.approx(
        float(abs(derivation.residual[sympy.Symbol("D_0")].coeff(sympy.Symbol("m_0")))) * 2
    )
