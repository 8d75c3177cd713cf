"""What the figure of sample sizes draws: theory as by single calls, networks as they are trained by hand."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import state_evolution
from dynamics.errors import ProblemError
from dynamics.sample_size.marchenko_pastur import MarchenkoPastur
from dynamics.sample_size.thresholds import interpolation_threshold
from empirical.experiments.sample_size import VANISHING, TrainedSizes, sample_size_curves
from empirical.minimum import descend, train_to_minimum
from empirical.proximal_gradient import FormData

D = 10
SMALL = {"inputs": D, "alphas": (0.2, 0.6), "clean_alphas": (0.5,), "points": 2, "seeds": 2, "seed": 3}


@pytest.fixture(scope="module")
def curves():
    return sample_size_curves(2.0, 1.0, (0.0, 0.5), clean_kappa=0.5, **SMALL)


def test_lines_are_the_state_evolution(curves):
    """On an even grid and at the peak, for d → ∞ and the networks' d, with the Bayes-optimal error once."""
    law = MarchenkoPastur(2.0)
    peak = interpolation_threshold(law, 1.0)
    for decay, theory, finite in zip((0.0, 0.5), curves.noisy, curves.corrected, strict=True):
        np.testing.assert_allclose(theory.alpha, [0.1, peak, 0.66])
        how = {"weight_decay_order": decay, "label_noise": 1.0}
        np.testing.assert_array_equal(theory.mse, state_evolution(law, theory.alpha, **how).mse)
        np.testing.assert_array_equal(finite.mse, state_evolution(law, [0.1], inputs=D, **how).mse)
    assert curves.noisy[0].bayes is not None is curves.noisy[1].bayes
    assert [one.activation for one in curves.clean] == ["centred", "quadratic"]
    assert (curves.clean[0].label_noise, curves.clean[0].weight_decay_order) == (0, 0)


def test_networks_are_trained_on_data_of_their_own(curves):
    """The typical teacher, n = αd² rounded, and where ℓ = 0 leaves many minima the smallest decay."""
    S = np.diag(MarchenkoPastur(2.0).eigenvalues(D))
    for networks, decays in zip(curves.trained, ((VANISHING, 0.0), (0.5, 0.5)), strict=True):
        for i, (n, decay) in enumerate(zip((20, 60), decays, strict=True)):
            assert networks.alpha[i] == n / D**2
            for s in range(2):
                data = FormData.draw(S, n, 1.0, seed=[3, s])
                found = train_to_minimum(data, decay, D, seed=3 + s, tolerance=1e-6)
                assert networks.mse[i, s] == found.mse(S)
    assert curves.trained[0].name == "ℓ = 0"


def test_recovery_is_tried_in_three_ways(curves):
    S = np.diag(MarchenkoPastur(0.5).eigenvalues(D))
    raw, centred = (FormData.draw(S, 50, raw=raw, seed=[3, 1]) for raw in (True, False))
    expected = (
        train_to_minimum(raw, 0.0, D, seed=4, tolerance=1e-6),
        train_to_minimum(centred, 0.0, D, seed=4, tolerance=1e-6),
        descend(centred, D, seed=4),
    )
    assert [one.mse[0, 1] for one in curves.recovered] == [found.mse(S) for found in expected]


def test_summary_and_errors(curves):
    """Mean and standard error over the seeds, of one seed there is none; ± of two is wide, 12.7 (Student's t)."""
    one = TrainedSizes("x", 10, np.array([0.5]), np.array([[1.0, 2.0, 6.0]]))
    assert one.mean == 3
    assert one.standard_error == pytest.approx(np.sqrt(7 / 3))
    assert np.isnan(TrainedSizes("x", 10, np.array([0.5]), np.array([[1.0]])).standard_error).all()
    lines = curves.summary().splitlines()
    assert len(lines) == 2 * 2 + 3 + 2
    assert lines[-2] == "±: standard error over 2 seeds; a 95 % interval is 12.7 times as wide"
    assert "heuristic" in lines[-1]
    alone = replace(curves, trained=tuple(replace(one, mse=one.mse[:, :1]) for one in curves.trained))
    alone = replace(alone, recovered=())
    assert "nan" not in alone.summary() and "±" not in alone.summary()
    assert "one seed: no error bar" in alone.summary()
    assert lines[0].startswith("ℓ = 0, d = 10, α = 0.2: MSE ")


def test_typical_eigenvalues_have_the_moments_of_the_law():
    """Mean exactly, zeros exactly, the second moment up to what parts of 1/200 hide; increasing."""
    for kappa in (0.3, 1.0, 4.0):
        law = MarchenkoPastur(kappa)
        lam = law.eigenvalues(200)
        assert lam.mean() == pytest.approx(1, rel=1e-9)
        assert (lam**2).mean() == pytest.approx(law.second, rel=2e-3)
        assert np.count_nonzero(lam) == round(200 * min(kappa, 1))
        assert (np.diff(lam) >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"decays": ()}, "`decays` is empty"),
        ({"alphas": ()}, "`alphas` is empty"),
        ({"inputs": 5}, "`inputs` is 5, but must be at least 10"),
        ({"points": 1}, "`points` is 1, but must be at least 2"),
        ({"seeds": 0}, "`seeds` is 0"),
        ({"clean_alphas": (0.0,)}, "`alpha` is 0"),
    ],
)
def test_refusals(arguments, words):
    with pytest.raises(ProblemError) as refused:
        sample_size_curves(**arguments)
    assert words in str(refused.value)
