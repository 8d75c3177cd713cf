"""What every law promises: its draws, the subspaces flows stay in, the law seen there, its name and its arrays."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.inputs.base import FAMILIES, LAWS, parse_law
from dynamics.inputs.data_set import DataSet
from dynamics.inputs.laws import Independent, Mixture, Rademacher, StudentT, Uniform
from dynamics.problem.reduction import reduce_problem
from oracles.input_rules import DATA, IDS, RULES, data_set, three_clusters

ALL = [law for law, _ in RULES]


class Numbers:
    """Random numbers of NumPy."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def normal(self, *shape):
        return self.rng.standard_normal(shape)

    def uniform(self, *shape):
        return self.rng.random(shape)

    def gamma(self, shape_parameter, *shape):
        return self.rng.gamma(shape_parameter, size=shape)

    def array(self, value):
        return value


def given(law):
    return {"data": law} if law.labelled else {"distribution": law}


def test_every_law_of_the_table_is_tested():
    names = {law.name for law in ALL}
    assert set(LAWS) <= names
    assert all(any(name == family or name.startswith(f"{family}:") for name in names) for family in FAMILIES)


@pytest.mark.parametrize("law", ALL, ids=IDS)
def test_draws_have_the_moments_that_the_law_says(law, rng):
    """Second and fourth moments of 40000 draws: every entry within five standard errors of the sample itself."""
    n, d = 40_000, 3
    x = law.draw(Numbers(7), n, d)
    assert x.shape == (n, d)
    D = rng.standard_normal((d, d))
    D += D.T
    products = x[:, :, None] * x[:, None, :]
    second = law.second_moment(None)
    fourth = np.einsum("ni,ij,nj->n", x, D, x)[:, None, None] * products
    for samples, expected in (
        (
            x,
            law.means.T @ law.weights
            if law.name == "mixture"
            else x.mean(0)
            if law.labelled
            else np.zeros(d),
        ),
        (products, np.eye(d) if second is None else second),
        (fourth, law.fourth_moment(None, d)(D)),
    ):
        error = samples.std(axis=0) / np.sqrt(n)
        assert (abs(samples.mean(axis=0) - expected) <= 5 * error + 1e-12).all()
        assert (error < 0.1 * abs(expected).max() + 0.1).all()


def test_draws_lie_where_the_law_is():
    """Lengths √d on the sphere, ±1, three points in their shares (within five standard errors), and ±√3."""
    n = 20_000
    lengths = np.linalg.norm(parse_law("sphere").draw(Numbers(1), 50, 4), axis=1)
    np.testing.assert_allclose(lengths, 2.0, rtol=1e-14)
    np.testing.assert_array_equal(np.unique(parse_law("rademacher").draw(Numbers(1), n, 1)), [-1.0, 1.0])
    points = parse_law("independent:1").draw(Numbers(1), n, 1)
    np.testing.assert_array_equal(np.unique(points), [-2.0, 0.0, 2.0])
    for point, share in ((-2.0, 0.125), (0.0, 0.75), (2.0, 0.125)):
        assert abs((points == point).mean() - share) < 5 * np.sqrt(share * (1 - share) / n)
    uniform = parse_law("uniform").draw(Numbers(1), n, 1)
    assert np.sqrt(3) - 1e-3 < uniform.max() <= np.sqrt(3)
    assert -np.sqrt(3) <= uniform.min() < 1e-3 - np.sqrt(3)
    part = parse_law("sphere").bound(9).draw(Numbers(1), 50, 4)  # four of nine coordinates
    assert part.shape == (50, 4)
    assert np.linalg.norm(part, axis=1).max() < 3


def axis_parallel(law, d, rng, covariance=None):
    """Teacher and student in three of d dimensions; for laws without a preferred basis these are rotated."""
    V, W = np.zeros((2, d)), np.zeros((2, d))
    V[:, :3], W[:, :3] = rng.standard_normal((2, 3)), 0.5 * rng.standard_normal((2, 3))
    if law.kurtosis is None or law.gaussian:
        Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
        V, W = V @ Q.T, W @ Q.T
    return Problem(
        Teacher(V, [[0.5, -0.3]]), Student(W, [[0.6, -0.4]]), "quadratic", covariance, **given(law)
    )


def block(d, rng):
    """A covariance that mixes the first three inputs among themselves, and the others."""
    F = rng.standard_normal((d, d)) / np.sqrt(d)
    F[:3, 3:] = F[3:, :3] = 0
    return F @ F.T + 0.3 * np.eye(d)


REDUCIBLE = [
    *(law for law in ALL if not law.labelled and law.name != "mixture"),
    three_clusters(12),
    data_set(9, n=4, outputs=1),
]


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("law", REDUCIBLE, ids=lambda law: law.name)
def test_the_reduced_flow_is_the_flow(law, activation, correlated, rng):
    """Weights, in all their dimensions, and losses; integrated to 1e-10 both times."""
    d = {"mixture": 12}.get(law.name, 9)
    if law.name == "mixture":  # clusters that mix three directions only
        S = np.eye(d) + np.pad(law.covariances[:, :2, :2], ((0, 0), (0, d - 2), (0, d - 2)))
        law = replace(law, means=law.means * (np.arange(d) < 4), covariances=S)
    if law.name == "sphere":
        law = parse_law("sphere")
    Sigma = block(d, rng) if correlated and law.standard else None
    if Sigma is not None and law.kurtosis in (None, 0.0):
        Sigma = np.eye(d) + 0.5 * np.outer(*2 * [rng.standard_normal(d) / 3])  # two eigenvalues
    problem = replace(axis_parallel(law, d, rng, Sigma), activation=activation, teacher_activation=None)
    reduction = reduce_problem(problem)
    assert reduction.basis is not None
    assert reduction.dimension < d
    np.testing.assert_allclose(reduction.basis.T @ reduction.basis, np.eye(reduction.dimension), atol=1e-13)
    run = {"t_end": 1.0, "samples": 4, "rtol": 1e-10, "max_evaluations": 4000}
    small, full = (GradientFlow(problem, reduce=reduce).integrate(**run) for reduce in (True, False))
    np.testing.assert_allclose(small.W, full.W, atol=1e-7)
    np.testing.assert_allclose(small.loss, full.loss, rtol=1e-7)
    assert full.loss[-1] < full.loss[0]


@pytest.mark.parametrize("law", REDUCIBLE, ids=lambda law: law.name)
def test_the_law_seen_in_a_subspace(law, rng):
    """C of Qᵀx is QᵀC[QDQᵀ]Q: for a random subspace where the law projects, else for one spanned by axes."""
    d = law.second_moment(None).shape[0] if not law.standard else 9
    if law.name == "sphere":
        law = parse_law("sphere").bound(d)
    Q = np.linalg.qr(rng.standard_normal((d, 4)))[0] if law.projects else np.eye(d)[:, [0, 2, 3, 7]]
    D = rng.standard_normal((4, 4))
    D += D.T
    seen, whole = law.within(Q), law.fourth_moment(None, d)
    C = seen.bound(4).fourth_moment(None, 4)(D)
    np.testing.assert_allclose(C, Q.T @ whole(Q @ D @ Q.T) @ Q, rtol=0, atol=1e-13 * abs(C).max())


@pytest.mark.parametrize("law", ALL, ids=IDS)
def test_every_flow_keeps_its_balances(law, rng):
    """c_k = ‖w_k‖² − 2‖A_k‖², to the tolerance of the integration."""
    O = law.outputs if law.labelled else 2
    teacher = None if law.labelled else Teacher(rng.standard_normal((2, 3)), rng.standard_normal((O, 2)))
    student = Student(0.5 * rng.standard_normal((3, 3)), 0.5 * rng.standard_normal((O, 3)))
    flow = GradientFlow(Problem(teacher, student, **given(law)))
    trajectory = flow.integrate(t_end=3.0, rtol=1e-10, max_evaluations=4000)
    W, A = trajectory.W, trajectory.A
    c = (W**2).sum(axis=2) - 2 * (A**2).sum(axis=1)
    assert abs(W[-1] - W[0]).max() > 0.05
    np.testing.assert_allclose(c, c[:1].repeat(len(c), axis=0), atol=1e-8)


@pytest.mark.parametrize("law", ALL, ids=IDS)
def test_a_law_is_made_again_of_its_name_and_arrays(law):
    arrays = law.arrays()
    if law.labelled:
        again = DataSet(arrays["X"], arrays["Y"], arrays["X_test"], arrays["Y_test"])
    elif law.name in FAMILIES:
        restored = FAMILIES[law.name].restored
        assert set(restored.parts) == set(arrays)
        again = restored(arrays)
    else:
        assert not arrays
        again = parse_law(law.name).bound(3)
        assert again == law
    assert law.alike(again)
    assert not law.alike(parse_law("student-t:7"))


def test_names_of_numbers_are_as_short_as_they_can_be():
    assert parse_law("independent:1.0").name == "independent:1"
    assert parse_law("student-t:1e1").name == "student-t:10"
    assert parse_law("independent:0.1").kurtosis == 0.1
    assert parse_law(Uniform()) == Uniform()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "normal",
            "`distribution` is 'normal' (did you mean 'uniform'?), but must be one of: gaussian, uniform, ",
        ),
        ("student-t", "`distribution` is 'student-t' (did you mean 'student-t:NU'?), but"),
        ("sphere:3", "`distribution` is 'sphere:3' (did you mean 'sphere'?), but must be one"),
        ("student-t:2", "'student-t:2', but NU must be a finite number above 2, below which"),
        ("student-t:x", "'student-t:x', but NU must be a finite number above 2"),
        ("student-t:inf", "'student-t:inf', but NU must be a finite number above 2"),
        ("independent:-2.1", "'independent:-2.1', but KAPPA must be a finite number of at least -2"),
        ("independent:nan", "'independent:nan', but KAPPA must be a finite number of at least -2"),
        ("independent:", "'independent:', but KAPPA must be a finite number of at least -2"),
        ("mixture:nowhere.npz", "`--distribution` 'mixture:nowhere.npz'"),
    ],
)
def test_names_that_are_none_are_refused(name, words):
    with pytest.raises(ProblemError) as refused:
        parse_law(name)
    assert words in str(refused.value)
    assert str(refused.value).count(". ") == 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: StudentT(2.0), "`freedom` is 2, but there is a covariance above 2 only"),
        (lambda: StudentT(float("inf")), "`freedom` is inf"),
        (lambda: Independent(-2.5), "`excess` is -2.5, but no law has an excess kurtosis below -2"),
        (lambda: Independent(float("nan")), "`excess` is nan"),
        (
            lambda: parse_law("student-t:4").fourth_moment(None, 3),
            "fourth moment is infinite: NU must be above 4",
        ),
        (lambda: parse_law("sphere").clock, "sphere without a dimension has no moments"),
        (
            lambda: Mixture([0.5, 0.4], np.zeros((2, 2)), np.zeros((2, 2, 2))),
            "probabilities that add up to 1",
        ),
        (
            lambda: Mixture([1.5, -0.5], np.zeros((2, 2)), np.zeros((2, 2, 2))),
            "probabilities that add up to 1",
        ),
        (
            lambda: Mixture([1.0], np.zeros((1, 2)), np.zeros((1, 2, 2))),
            "are zero, but inputs that are all zero",
        ),
        (
            lambda: Mixture([1.0, 0.0], [[0.0], [1.0]], [[[0.0]], [[1.0]]]),
            "are zero, but inputs that are all zero",
        ),
        (lambda: DataSet(np.zeros((3, 2)), np.ones(3)), "`X` is zero in all samples"),
        (lambda: Mixture([1.0], np.zeros((1, 2)), -np.eye(2)[None]), "in cluster 0 the eigenvalue -1"),
        (lambda: Mixture([1.0], np.zeros((1, 2)), np.zeros((1, 3, 3))), "do not fit"),
        (lambda: Mixture([1.0], np.zeros((1, 2)), [[[1, 1], [0, 1]]]), "symmetric"),
        (lambda: three_clusters(3).bound(4), "mixture in 3 dimensions, but there are 4 inputs"),
        (lambda: DATA.bound(4), "`data` has 3 inputs, but the student has 4"),
        (lambda: DataSet.of(np.zeros((3, 2))), "must be a pair \\(X, y\\)"),
        (lambda: DataSet(np.zeros((3, 2)), np.zeros(2)), "3 samples need \\(3, O\\)"),
        (lambda: DataSet(np.zeros((0, 2)), np.zeros(0)), "must have shape \\(n, d\\)"),
        (lambda: DataSet([[np.nan]], [0.0]), "NaN"),
        (lambda: DataSet([[1.0]], [0.0], [[1.0]]), "belong together"),
        (lambda: DataSet([[1.0]], [0.0], [[1.0, 2.0]], [0.0]), "have 2 inputs and 1 outputs"),
    ],
)
def test_what_is_no_law_is_refused(make, words):
    with pytest.raises(ProblemError, match=words):
        make()


def test_no_excess_is_given_to_laws_that_have_one():
    for law in (Uniform, Rademacher):
        with pytest.raises(TypeError):
            law(0.3)


@pytest.mark.parametrize(
    ("distribution", "activation", "taught"),
    [
        ("student-t:4", "quadratic", None),
        ("student-t:3.5", "centred", None),
        ("student-t:6", "quadratic", "hermite:3"),
        ("student-t:2.9", "gelu", None),
        ("student-t:6.9", "tanh", "hermite:3"),
        ("student-t:12", "tanh", "centred"),
        ("sphere", "tanh", None),
        ("sphere", "relu", "quadratic"),
        ("sphere", "relu2", "centred"),
        ("uniform", "hermite:3", None),
        ("uniform", "quadratic", "centred"),
        ("independent:1", "relu", None),
    ],
)
def test_what_a_law_does_not_know_it_refuses(distribution, activation, taught):
    """In one sentence, and never with a number that is wrong."""
    teacher, student = Teacher.from_eigenvalues([1.0], 3), Student.initialise(1, 3)
    problem = Problem(teacher, student, activation, teacher_activation=taught, distribution=distribution)
    with pytest.raises(ProblemError, match="known only for"):
        GradientFlow(problem)


def test_a_moment_may_be_large():
    """ν = 4.5: γ = 2.5/0.5."""
    teacher, student = Teacher.from_eigenvalues([1.0], 3), Student.initialise(1, 3, scale=0.1)
    heavy, light = (Problem(teacher, student, distribution=name) for name in ("student-t:4.5", "gaussian"))
    assert heavy.law.clock == 5
    ratio = heavy.population.loss(student.W, student.A) / light.population.loss(student.W, student.A)
    assert ratio == pytest.approx(5, rel=1e-14)
