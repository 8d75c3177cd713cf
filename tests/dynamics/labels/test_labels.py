"""Labels: their means, draws and flips, held against what their names say."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dynamics import ProblemError
from dynamics.labels import FAMILIES, LABELS, Labels, register
from dynamics.labels import base as labels

TABLE = [*LABELS.values(), *(Labels.parse(f"{family.name}:{family.example}") for family in FAMILIES.values())]
F = np.array([-2.0, -0.1, 0.0, 0.2, 3.0])


@pytest.mark.parametrize("law", [law for law in TABLE if not law.given], ids=str)
def test_draws_have_the_mean(law):
    """Over 200,000 evenly spaced u, within one of them; tensors and arrays alike."""
    u = (np.arange(200_000) + 0.5) / 200_000
    for flip in (0.0, 0.2) if law.classes else (0.0,):
        turned = law.flipped(flip)
        drawn = turned.draw(F[:, None], u).mean(axis=-1) if law.classes else turned.draw(F, None)
        np.testing.assert_allclose(drawn, turned.expected(F), atol=1e-5)
        np.testing.assert_array_equal(turned.expected(torch.tensor(F)), turned.expected(F))
        both = turned.draw(torch.tensor(F), torch.full((5,), 0.4)), turned.draw(F, np.full(5, 0.4))
        np.testing.assert_array_equal(*both)
        assert turned.tossed == (law.classes and (law.name == "bernoulli" or flip > 0))


def test_what_the_names_mean():
    np.testing.assert_allclose(Labels.parse("bernoulli").expected(F), 1 / (1 + np.exp(-F)))
    np.testing.assert_array_equal(Labels.parse("hard").expected(F), [0, 0, 0, 1, 1])
    np.testing.assert_array_equal(
        Labels.parse("hard:0.3").flipped(0.25).expected(F), [0.25, 0.25, 0.25, 0.25, 0.75]
    )
    np.testing.assert_array_equal(Labels.parse("exact").expected(F), F)
    assert "flipped with probability 0.25" in repr(Labels.parse("hard").flipped(0.25))


def test_labels_that_are_given_have_no_law():
    with pytest.raises(ProblemError, match="there is no teacher that gives others"):
        Labels.parse("data").expected(F)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("soft", "must be one of: exact, bernoulli, hard, data, hard:THRESHOLD"),
        ("hard:x", "THRESHOLD must be a number of at most"),
        ("hard:1e300", "THRESHOLD must be a number of at most"),
        ("hard:inf", "THRESHOLD must be a number of at most"),
    ],
)
def test_other_names_are_refused(name, message):
    with pytest.raises(ProblemError, match=message):
        Labels.parse(name)


@pytest.mark.parametrize(
    ("name", "flip", "message"),
    [
        ("bernoulli", 0.5, "`flip` is 0.5, but must be below 0.5"),
        ("hard", -0.1, "flip"),
        ("hard", float("nan"), "flip"),
        ("exact", 0.1, "there are no classes to flip"),
        ("data", 0.1, "there are no classes to flip"),
    ],
)
def test_flips_that_mean_nothing_are_refused(name, flip, message):
    with pytest.raises(ProblemError, match=message):
        Labels.parse(name).flipped(flip)


def test_registered_labels_are_known_by_their_name(monkeypatch):
    monkeypatch.setattr(labels, "NAMES", replace(labels.NAMES, single=dict(LABELS)))
    mine = register(Labels("steep", "y ~ Bernoulli(σ(3f*))", lambda f: 1 / (1 + (-3 * f).exp())))
    assert Labels.parse("steep") is mine
    with pytest.raises(ProblemError, match="'steep' belongs to other labels"):
        register(Labels("steep", "other", lambda f: f, threshold=1.0))
