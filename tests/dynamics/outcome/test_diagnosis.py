"""Every verdict must be right: against integrated flows from random starts, and in cases with known answers."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.outcome.diagnosis import diagnose
from dynamics.outcome.initial_state import InitialState
from dynamics.outcome.resting_level import resting_level


def problem(eigenvalues, W, a, trainable=True, **options):
    W = np.array(W, dtype=float)
    teacher = Teacher.from_eigenvalues(eigenvalues, W.shape[1])
    return Problem(teacher, Student(W, np.array(a, dtype=float), trainable), **options)


# One unit, one mode: the rule of theory, section 2


def test_single_mode_agrees_with_integration_on_a_grid():
    """1,116 starts, ȧ = 3λp²(…)/…: ṗ = 6ap(λ − ap²), ȧ = 3p²(λ − ap²) (one input), written out and integrated at once.

    Near c = 0 a start lingers near the origin for a time π/(3λ√(2c)): 5 at |c| = 0.02, so t = 40 is plenty.
    """
    a0, p0 = np.meshgrid(np.linspace(-1.5, 1.5, 31), np.linspace(0.05, 1.8, 36), indexing="ij")
    a0, p0 = a0.ravel(), p0.ravel()

    def field(t, y):
        a, p = np.split(y, 2)
        D = 1 - a * p**2
        return np.concatenate([3 * p**2 * D, 6 * a * p * D])

    end = solve_ivp(field, (0, 40), np.concatenate([a0, p0]), method="DOP853", rtol=1e-9, atol=1e-12).y[:, -1]
    a, p = np.split(end, 2)
    integrated = 1.5 * (1 - a * p**2) ** 2 < 0.1
    verdicts = [diagnose(problem([1.0], [[q]], [b])) for q, b in zip(p0, a0, strict=True)]
    c = p0**2 - 2 * a0**2
    clear = np.abs(c) > 0.02
    assert clear.sum() >= 900
    predicted = np.array([v.verdict for v in verdicts])
    assert set(predicted) == {"succeeds", "fails"}
    assert all(v.decided_at == 0 for v in verdicts)
    np.testing.assert_array_equal((predicted == "succeeds")[clear], integrated[clear])
    np.testing.assert_array_equal(predicted == "fails", (a0 < 0) & (c <= 0))
    # failing units end at (p, a) = (0, −√(−c/2)), with the loss of the zero function
    failed = clear & (predicted == "fails")
    np.testing.assert_allclose(a[failed], -np.sqrt(-c[failed] / 2), atol=1e-6)
    assert {v.predicted_loss for v, f in zip(verdicts, failed, strict=True) if f} == {1.5}


@pytest.mark.parametrize(
    ("p", "a", "verdict", "sign", "why"),
    [
        (1.0, -1.0, "fails", -1, "frozen negative"),
        (1.5, -1.0, "succeeds", 0, "flexible"),
        (np.sqrt(2), -1.0, "fails", -1, "exact balance"),
        (1.0, 0.0, "succeeds", 0, "flexible"),
        (0.0, 1.0, "fails", 1, "inert"),
        (0.0, 0.0, "fails", 0, "inert"),
    ],
)
def test_boundaries_of_the_single_mode_rule(p, a, verdict, sign, why):
    """c = 0 belongs to failure, a₀ = 0 to success, and p₀ = 0 never learns."""
    result = diagnose(problem([2.0], [[p]], [a]))
    assert result.verdict == verdict
    assert result.frozen_signs == (sign,)
    assert why in result.reason
    assert result.needed == (1, 0)


# Several units


def test_teacher_of_both_signs_and_positive_units(rng):
    """λ = (2, −1.9), four units, all a > 0: 4.8133… = 1.9² · 4/3 with all c_k < 0, success with all c_k > 0."""
    for _ in range(6):
        W = 0.3 * rng.normal(size=(4, 2))
        norms = np.linalg.norm(W, axis=1)
        fails = diagnose(problem([2, -1.9], W, norms * rng.uniform(0.75, 1.5, 4)))
        assert (fails.verdict, fails.frozen_signs) == ("fails", (1, 1, 1, 1))
        assert fails.predicted_loss == pytest.approx(1.9**2 * 4 / 3, rel=1e-12)
        assert fails.needed == (1, 1)
        assert (fails.conserved < 0).all()
        succeeds = diagnose(problem([2, -1.9], W, norms * rng.uniform(0.05, 0.2, 4)))
        assert (succeeds.verdict, succeeds.frozen_signs) == ("succeeds", (0, 0, 0, 0))
        assert succeeds.predicted_loss == 0
        assert (succeeds.conserved > 0).all()
        assert succeeds.decided_at > 0


def test_flexible_units_may_fail_too():
    """All c_k > 0, but all units close to e₁ and c small: a stays positive. The start alone must not claim success."""
    W = np.array([[0.5, 0.01], [0.6, -0.02], [0.4, 0.015]])
    a = np.linalg.norm(W, axis=1) / np.sqrt(2) * 0.99
    start = problem([2, -1.9], W, a)
    static = diagnose(start, follow=False)
    assert static.verdict == "undecided"
    assert static.possible_losses == pytest.approx([0, 1.9**2 * 4 / 3, 16 / 3])
    followed = diagnose(start)
    assert followed.verdict == "fails"
    assert followed.predicted_loss == pytest.approx(1.9**2 * 4 / 3)
    path = GradientFlow(start).integrate(t_end=30.0, samples=3)
    assert path.loss[-1] == pytest.approx(followed.predicted_loss, rel=1e-6)
    assert (path.a[-1] > 0).all()


def test_enough_frozen_units_of_each_sign_need_no_dynamics(rng):
    W = rng.normal(size=(3, 2)) * 0.2
    a = np.linalg.norm(W, axis=1) * [1, -1, 0.1]  # frozen +, frozen −, flexible
    result = diagnose(problem([2, -1.9], W, a), follow=False)
    assert (result.verdict, result.decided_at) == ("succeeds", 0.0)
    assert "almost every" in result.reason


def test_fewer_units_than_modes(rng):
    """K = 1, λ = (2, 1), a frozen: + learns mode 1, loss 1 + 1/3, the least for one unit; − learns nothing."""
    w = rng.normal(size=(1, 2))
    good = diagnose(problem([2, 1], w, [np.linalg.norm(w)]))
    assert (good.verdict, good.predicted_loss) == ("succeeds", pytest.approx(4 / 3))
    bad = diagnose(problem([2, 1], w, [-np.linalg.norm(w)]))
    assert (bad.verdict, bad.predicted_loss) == ("fails", pytest.approx(5 + 9 / 2))
    assert "so few units" in bad.reason


def test_fixed_second_layer(rng):
    """Signs as given; a unit with a = 0 never learns. λ = (4, −2, 1), all positive: S = {4, 1}, T = −2: 4 + 4/4."""
    W = rng.normal(size=(3, 3))
    assert diagnose(problem([4, 2, 1], W, [1, 1, 1], trainable=False)).verdict == "succeeds"
    indefinite = diagnose(problem([4, -2, 1], W, [1, 1, 1], trainable=False))
    assert (indefinite.verdict, indefinite.predicted_loss) == ("fails", pytest.approx(5))
    inert = diagnose(problem([4, -2, 1], W, [1, 0, -1], trainable=False))
    assert inert.inert == (1,)
    assert (inert.verdict, inert.predicted_loss) == ("fails", pytest.approx(1 + 1 / 4))


# Where theory does not decide


def test_aligned_copied_and_orthogonal_starts_are_undecided(rng):
    aligned = diagnose(problem([4, 2, 1], 0.1 * np.eye(3), [0.1, 0.1, 0.1]))
    copies = diagnose(problem([4, 2], [[1, 0.5], [1, 0.5]], [0.1, 0.1]))
    orthogonal = diagnose(problem([4, 2, 1], rng.normal(size=(3, 3)) * [1, 1, 0], [1.0, 1.1, 1.2]))
    saddle = diagnose(problem([4, 2], np.sqrt([[4 + 2 / 3, 0], [0, 0]]), [1.0, 1.0]))
    for result in (aligned, copies, orthogonal):
        assert result.verdict == "undecided"
        assert "invariant manifold" in result.reason
        assert result.predicted_loss is None
    assert (saddle.verdict, saddle.inert) == ("fails", (1,))


def test_an_invariant_manifold_does_not_save_a_start_of_the_wrong_signs():
    result = diagnose(problem([2, -1.9], 0.1 * np.eye(2), [1.0, 1.0]))
    assert result.verdict == "fails"
    assert result.predicted_loss is None


def test_a_start_at_a_stationary_point_is_undecided():
    """λ = (4, 2): mode 1 learned at μ = 4 + 2/3 by one unit, the other two cancel in direction e₁: G V = 0."""
    p = np.sqrt([[4 + 2 / 3, 0], [1, 0], [1, 0]])
    result = diagnose(problem([4, 2], p, [1.0, 0.3, -0.3]))
    assert result.verdict == "undecided"
    assert "stationary" in result.reason


def test_models_without_a_catalogue_are_undecided():
    result = diagnose(
        Problem(Teacher.from_eigenvalues([2, 1], outputs=2), Student(np.ones((1, 2)), np.ones((2, 1))))
    )
    assert (result.verdict, result.needed, result.frozen_signs) == ("undecided", None, (0,))


def test_json_has_the_documented_keys(rng):
    result = diagnose(problem([2, -1.9], rng.normal(size=(2, 2)), [3.0, 4.0])).to_dict()
    assert result["verdict"] == "fails"
    assert result["needed"] == {"positive": 1, "negative": 1}
    assert result["frozen_signs"] == [1, 1]
    assert len(result["conserved"]) == 2
    assert isinstance(result["reason"], str)
    assert result["predicted_loss"] == pytest.approx(1.9**2 * 4 / 3)


def test_a_loss_below_all_saddles_is_certain_even_on_an_invariant_manifold():
    """λ = (4, 2): no stationary point lies between 0 and 2² (it misses a mode, L ≥ λ_j²)."""
    result = diagnose(problem([4, 2], np.diag(np.sqrt([4.3, 2.3])), [1.0, 1.0]))
    assert (result.verdict, result.decided_at) == ("succeeds", 0.0)


# Many units


def brute_force_levels(facts, balance_freezes):
    """Every division of the flexible units, counted one by one, and the levels that the theory allows for them."""
    signs = facts.frozen_signs.copy()
    if not balance_freezes:
        signs[facts.balanced] = 0
    live = signs[~facts.inert]
    P, N, flexible = (int(np.sum(live == s)) for s in (1, -1, 0))
    coupling = 1.0 if facts.problem.activation.name == "quadratic" else 0.0
    found = [
        resting_level(facts.eigenvalues, P + p, N + n, coupling)
        for p, n in product(range(flexible + 1), repeat=2)
        if p + n <= flexible
    ]
    losses = sorted({level.loss for level in found if level.kernel or not flexible})
    kept = losses[:1]
    for loss in losses[1:]:
        if kept[-1] + facts.resolution < loss < facts.loss:
            kept.append(loss)
    return tuple(kept)


@pytest.mark.parametrize("hidden", [1, 3, 9])
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_levels_are_those_of_all_divisions(hidden, activation, rng):
    """More units of a sign than modes change nothing: the short list of divisions has the levels of the long one."""
    seen = set()
    for _ in range(15):
        W = rng.normal(size=(hidden, 3)) * rng.uniform(0.1, 2)
        ratio = rng.choice([0.3, 0.8, 1.0, 1.5, 0.0], hidden)
        a = np.linalg.norm(W, axis=1) / np.sqrt(2) * ratio * rng.choice([-1, 1], hidden)
        facts = InitialState(problem([2, rng.choice([0, 1.5]), -1.9], W, a, activation=activation))
        for balance_freezes in (True, False):
            levels = facts.levels(balance_freezes)
            assert levels == brute_force_levels(facts, balance_freezes)
            seen.add(len(levels))
    assert max(seen) > 1


def test_very_many_units_are_diagnosed_at_once(rng):
    """20,000 flexible units divide in 2e8 ways, of which those that differ are (3 + 1)².

    Levels by hand: with r learned modes and the sum T of the missed ones, Σ_missed λ² + T²/(r + 2).
    """
    W = rng.normal(size=(20_000, 3)) * 1e-3
    facts = InitialState(problem([2, 1, -1.9], W, 1e-5 * rng.normal(size=20_000)))
    assert facts.signs() == (0, 0, 20_000)
    assert sorted(facts.divisions()) == [(p, n) for p in range(4) for n in range(4)]
    assert diagnose(facts.problem, follow=False).possible_losses == pytest.approx(
        [0, 1 + 1 / 4, 1.9**2 * 5 / 4, 1 + 1.9**2 + 0.9**2 / 3, 5 + 9 / 3]
    )


@pytest.mark.parametrize(
    "ratios", [[0.5] * 2, [0.5] * 6, [1.5] * 5 + [0.5], [1.5, 1.5, -1.5, -1.5, -1.5, -1.5, 0.5]]
)
def test_divisions_are_listed_once(ratios, rng):
    """Of three modes: the pairs (P, N) of all divisions, without more of a sign than three, none of them twice.

    A unit is frozen where |a| exceeds ‖w‖/√2, here by half; the others are flexible.
    """
    ratios = np.array(ratios)
    W = rng.normal(size=(len(ratios), 3))
    facts = InitialState(problem([2, 1, -1.9], W, ratios * np.linalg.norm(W, axis=1) / np.sqrt(2)))
    P, N, flexible = (ratios > 1).sum(), (ratios < -1).sum(), (abs(ratios) < 1).sum()
    divided = product(range(flexible + 1), repeat=2)
    expected = {(min(P + p, 3), min(N + n, 3)) for p, n in divided if p + n <= flexible}
    short = [(min(p, 3), min(n, 3)) for p, n in facts.divisions()]
    assert sorted(short) == sorted(expected)


# Random problems


def random_start(rng):
    """Signs, balance, covariance, activation, rank, trained or fixed second layer: all at random; |λ| ≥ 0.3."""
    d, K = rng.integers(1, 5), rng.integers(1, 6)
    lam = np.zeros(d)
    rank = rng.integers(1, d + 1)
    lam[:rank] = rng.uniform(0.3, 3, rank) * rng.choice([-1, 1], rank)
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    Sigma = None
    if rng.random() < 0.3:
        F = rng.normal(size=(d, d))
        Sigma = F @ F.T / d + 0.3 * np.eye(d)
    W = rng.normal(size=(K, d)) * np.exp(rng.uniform(np.log(0.05), np.log(1.5)))
    ratio = [rng.uniform(0, 1.5, K), rng.uniform(1, 2, K), np.ones(K), rng.uniform(0, 0.9, K)][
        rng.integers(4)
    ]
    a = np.linalg.norm(W, axis=1) / np.sqrt(2) * ratio * rng.choice([-1, 1], K)
    activation = str(rng.choice(["quadratic", "centred"]))
    student = Student(W, a, trainable=bool(rng.random() < 0.85))
    return Problem(Teacher.from_matrix((Q * lam) @ Q.T), student, activation, Sigma)


def resting_kernel(facts):
    """Dimension of the kernel of G where the signs of the start rest; 0: all units die or go to the origin."""
    P, N = (int(np.sum(facts.frozen_signs[~facts.inert] == s)) for s in (1, -1))
    coupling = 1.0 if facts.problem.activation.name == "quadratic" else 0.0
    return resting_level(facts.eigenvalues, P, N, coupling).kernel


def check_random_problems(seed, count):
    """Verdicts against the unreduced flow, integrated by another method until it rests; returns a tally.

    Levels differ by more than 1e-3 λ_min² with overwhelming probability; flows that creep (power laws at units
    without use) are continued until that resolution tells them apart, or counted as unsettled.
    """
    rng = np.random.default_rng(seed)
    tally = Counter()
    for _ in range(count):
        start = random_start(rng)
        facts = InitialState(start)
        static, result = diagnose(start, follow=False), diagnose(start)
        tally["static " + static.verdict] += 1
        tally[result.verdict] += 1
        if static.verdict != "undecided":
            assert static.verdict == result.verdict
            assert static.predicted_loss in (None, result.predicted_loss)
        if "exact balance" in result.reason and not resting_kernel(facts):
            tally["balanced units that end at the origin"] += 1
            continue  # the integrator's own error in c_k = 0 decides: nothing to compare with
        resolution = 1e-3 * float(np.min(facts.eigenvalues[facts.eigenvalues != 0] ** 2))
        flow = GradientFlow(start, reduce=False)
        path = flow.integrate(samples=2, method="BDF", rtol=1e-9, throw=False)
        loss = path.loss[-1]
        if path.solver.status != "converged" and loss > facts.least + resolution:
            loss = flow.integrate(times=[0, 1e7], method="LSODA", rtol=1e-9).loss[-1]
        reached = loss < facts.least + resolution
        told = f"{result.summary()} but the flow ended at {loss:.6g}: {start.student.W!r} {start.student.A!r}"
        if result.verdict != "undecided":
            assert reached == (result.verdict == "succeeds"), told
        if result.predicted_loss is not None:
            assert abs(loss - result.predicted_loss) < resolution, told
        if result.possible_losses:
            assert min(abs(loss - level) for level in result.possible_losses) < resolution, told
    return tally


def test_verdicts_on_random_problems():
    tally = check_random_problems(seed=0, count=40)
    assert tally["undecided"] <= 3
    assert min(tally["succeeds"], tally["fails"]) > 6


@pytest.mark.slow
def test_verdicts_on_several_hundred_random_problems():
    """No wrong verdict; few undecided, and not many more without following the flow."""
    tally = check_random_problems(seed=1, count=200)
    assert tally["undecided"] <= 5
    assert tally["static undecided"] <= 60


MANIFOLD = "The start lies on an invariant manifold: "
FLAT_OUT = "From almost every such start the flow ends at the loss "


@pytest.mark.parametrize(
    ("lam", "W", "a", "verdict", "loss", "reason"),
    [
        (
            *([2, -1.9], [[0.1, -0.1], [0.6, 0.1]], [3, 4], "fails", 1.9**2 * 4 / 3),
            "Units: 2 frozen positive; the teacher needs 1 positive and 1 negative: out of reach. "
            f"{FLAT_OUT}4.81333.",
        ),
        (
            *([2, 1], [[0.3, 0.1], [0, 0], [0.1, 0.2]], [3, 4, 1], "succeeds", 0),
            "Units: 2 frozen positive, 1 inert; the teacher needs 2 positive and 0 negative. "
            + f"{FLAT_OUT}0.",
        ),
        (
            *([2, 1], [[0.3, 0.1], [0.1, 0.2]], [3, -1], "fails", 4 / 3),
            "Units: 1 frozen positive, 1 frozen negative; the teacher needs 2 positive and 0 negative: out of reach. "
            f"{FLAT_OUT}1.33333.",
        ),
        (
            *([2, 1], [[0.3, 0.4]], [1], "succeeds", 4 / 3),
            "Units: 1 frozen positive; the best that so few units can learn needs 1 positive and 0 negative. "
            f"{FLAT_OUT}1.33333.",
        ),
        (
            *([2, 1], [[0, 0], [0, 0]], [1, 1], "fails", 9.5),
            f"Units: 2 inert; the teacher needs 2 positive and 0 negative: out of reach. {FLAT_OUT}9.5.",
        ),
        (
            *([2, 1], [[1.4, 0.01], [0.02, 0.99]], [1, 1], "succeeds", 0),
            "The loss is already below that of every stationary point but the global minima.",
        ),
        (
            *([2, 1], [[0.3, 0.1], [0.3, 0.1]], [1, 1], "undecided", None),
            f"{MANIFOLD}units 0 and 1 are copies or mirror images of each other and stay so, unless perturbed.",
        ),
        (
            *([2, 1], [[0.3, 0], [0, 0.1]], [1, 1], "undecided", None),
            f"{MANIFOLD}the units fall into groups in orthogonal subspaces that the flow does not mix, but any "
            "perturbation does.",
        ),
        (
            *([2, 1], [[0.3, 0], [0.2, 0]], [1, 1.2], "undecided", None),
            f"{MANIFOLD}all weights are orthogonal to a mode that matters, and stay so, unless perturbed.",
        ),
    ],
)
def test_reasons_in_words(lam, W, a, verdict, loss, reason):
    """Levels by hand: λ_j² (1 + 1/3) for one mode that is missed, 2² + 1² + 3²/2 for both."""
    found = diagnose(problem(lam, W, a))
    assert (found.verdict, found.reason) == (verdict, reason)
    assert found.summary() == f"{verdict}: {reason}"
    assert found.predicted_loss == (None if loss is None else pytest.approx(loss))
    assert found.decided_at == (None if loss is None else 0)


def test_reasons_where_the_start_does_not_decide():
    """Two flexible units: with a negative one in the end the loss is 0, without 1.9² · 4/3; the flow decides."""
    W = [[0.13, -0.13], [0.64, 0.1], [-0.54, 0.36]]
    allowed = "The start alone allows the losses 0, 4.81333"
    given = problem([2, -1.9], W, [3.0, 0.01, 0.02])
    found = diagnose(given, follow=False)
    assert (found.verdict, found.predicted_loss, found.decided_at) == ("undecided", None, None)
    assert found.reason == f"{allowed}: it depends on whether flexible units cross a = 0."
    assert found.possible_losses == pytest.approx((0, 1.9**2 * 4 / 3))
    found = diagnose(given)
    assert (found.verdict, found.predicted_loss) == ("succeeds", 0)
    assert found.reason == (
        "Units: 1 frozen positive, 2 flexible; the teacher needs 1 positive and 1 negative. "
        f"{allowed}; the flow, followed numerically to t = {found.decided_at:.4g}, is below all of them but the lowest."
    )
    assert found.to_dict() == {
        **{"verdict": "succeeds", "reason": found.reason, "conserved": found.conserved.tolist()},
        **{"frozen_signs": [1, 0, 0], "inert": [], "needed": {"positive": 1, "negative": 1}},
        **{
            "predicted_loss": 0,
            "possible_losses": list(found.possible_losses),
            "decided_at": found.decided_at,
        },
    }
    short = diagnose(given, max_evaluations=20)
    assert (short.verdict, short.predicted_loss) == ("undecided", None)
    assert "did not settle (loss " in short.reason
