"""What a study says of its trainings, against numbers computed by hand."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, special

from dynamics import ProblemError
from empirical.studies.findings import Findings, read_findings
from empirical.studies.outcomes import Difference, best_rate, moments
from empirical.studies.study import Settings
from empirical.studies.table import find_study
from empirical.sweep.dataset import write_dataset

sys.path.insert(0, str(Path(__file__).parent))
from made_up import Named, failed, made_up_dataset, made_up_study, scored

# a: rate → (validation, test) of two replicates
TABLE = {
    0.1: ((0.5, 0.9), (0.5, 0.7)),
    1.0: ((0.6, 0.2), (0.8, 0.4)),
    10.0: ((0.1, 0.3), (0.2, 0.1)),
}


def found(study, numbers):
    return Findings.of(study, made_up_dataset(study, numbers))


def test_the_best_rate_is_chosen_by_validation_and_reported_by_test():
    """Validation means 0.5, 0.7, 0.15: the rate 1, though the tests 0.9, 0.7 of the rate 0.1 are better."""
    study = made_up_study([Named("a", unit=0.5)], TABLE, 2)
    (result,) = found(study, lambda _, rate, r: scored(*TABLE[rate][r])).results
    assert result.rate == 0.5  # 1 in units of 0.5
    assert result.at_best.tolist() == [0.2, 0.4]
    assert math.isclose(result.mean, 0.3)
    assert math.isclose(result.standard_error, 0.1)  # √(2 · 0.1²) / √2
    assert result.edge == ""
    assert (result.parameters, result.steps) == (7, 10)
    np.testing.assert_allclose(moments(result.scores)[0], [0.8, 0.3, 0.2])


def test_the_best_loss_is_the_smallest():
    study = made_up_study(["a"], TABLE, 2)
    (result,) = found(study, lambda _, rate, r: scored(*TABLE[rate][r], "loss")).results
    assert (result.rate, result.edge) == (10.0, "highest")
    assert result.at_best.tolist() == [0.3, 0.1]


def test_a_failed_training_counts_as_the_worst():
    """Accuracies 0.9 and a failure have the mean 0.45 < 0.5; a loss of 0.1 and a failure the mean ∞ > 3."""
    nan = float("nan")
    assert best_rate(np.array([[0.9, nan], [0.5, 0.5]]), "accuracy") == 1
    assert best_rate(np.array([[0.9, nan], [0.4, 0.4]]), "accuracy") == 0
    assert best_rate(np.array([[0.1, nan], [3.0, 3.0]]), "loss") == 1


def test_where_every_rate_has_failures_the_fewest_are_best_and_then_the_rest():
    nan = float("nan")
    assert best_rate(np.array([[0.1, nan, nan], [0.9, 0.9, nan], [0.8, nan, 0.8]]), "loss") == 2
    assert best_rate(np.full((3, 2), nan), "loss") == best_rate(np.full((3, 2), nan), "accuracy") == 0


def test_means_are_over_what_did_not_fail_and_shares_over_all():
    """Collapsed: failed, or at chance as `empirical.collapsed` says; of four one each."""
    outcomes = [
        scored(0.9, 0.5, rebases=3),
        failed(),
        scored(0.9, 0.1, rebases=4, collapsed=1),
        scored(0.9, 0.3, rebases=5),
    ]
    result = found(made_up_study(["a"], [1.0], 4), lambda _, __, r: outcomes[r]).results[0]
    assert math.isclose(result.mean, 0.3)
    assert math.isclose(result.standard_error, 0.2 / math.sqrt(3))
    assert result.failed[0].tolist() == [False, True, False, False]
    assert result.collapsed[0].tolist() == [False, True, True, False]
    assert result.rebases_at_best == 4.0
    printed = found(made_up_study(["a"], [1.0], 4), lambda _, __, r: outcomes[r]).to_dict()["results"][0]
    assert (printed["collapsed"], printed["failed"], printed["rebases"]) == (0.5, 0.25, 4.0)


def test_differences_are_paired_with_students_interval():
    """Differences 1, 2, 6 and a replicate without a partner; the quantile from an integral of Student's density."""
    tests = {"a": [3.0, 5.0, 10.0, 4.0], "b": [2.0, 3.0, 4.0, None]}

    def numbers(label, _, r):
        return failed("loss") if tests[label][r] is None else scored(1.0, tests[label][r], "loss")

    (d,) = found(made_up_study("ab", [1.0], 4, [("a", "b")]), numbers).differences
    assert d.differences.tolist() == [1.0, 2.0, 6.0]
    assert d.mean == 3.0
    error = math.sqrt((4 + 1 + 9) / 2 / 3)
    bound = d.half_width / error
    nu = 2
    constant = special.gamma((nu + 1) / 2) / (math.sqrt(nu * math.pi) * special.gamma(nu / 2))
    inside, _ = integrate.quad(lambda x: constant * (1 + x**2 / nu) ** (-(nu + 1) / 2), -bound, bound)
    assert math.isclose(inside, 0.95, rel_tol=1e-9)
    assert not d.decided
    assert Difference("a", "b", np.array([1.0, 1.1, 0.9])).decided


def test_intervals_cover_the_mean_as_often_as_they_say(rng):
    """Of 2000 samples of five normal numbers; within four standard errors √(0.95 · 0.05/2000) of 95 %."""
    draws = rng.standard_normal((2000, 5))
    covered = np.mean([not Difference("a", "b", row).decided for row in draws])
    assert abs(covered - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 2000)


def test_best_rates_at_the_ends_of_the_grid_are_warned_about():
    at_end = found(
        made_up_study(["a"], [1.0, 2.0, 3.0], 2), lambda _, rate, __: scored(1 / rate, 0.5)
    ).warnings
    assert at_end == ["the best rate of 'a', 1, is the lowest tried: a better one may lie beyond"]
    inside = found(
        made_up_study(["a"], [1.0, 2.0, 3.0], 2), lambda _, rate, __: scored(rate == 2, 0.5)
    ).warnings
    few = found(made_up_study(["a"], [1.0, 2.0], 2), lambda _, rate, __: scored(1 / rate, 0.5)).warnings
    assert inside == few == []


def lost(label, _, __):
    return failed() if label == "b" else scored(0.5, 0.5)


def test_a_contender_all_of_whose_trainings_fail_has_no_score():
    findings = found(made_up_study("ab", [1.0, 2.0, 3.0], 2, [("a", "b")]), lost)
    b = findings.results[1]
    assert math.isnan(b.mean) and math.isnan(b.standard_error) and b.collapsed.all()
    assert "all trainings of 'b' failed" in findings.warnings
    assert not any("'b'" in warning and "beyond" in warning for warning in findings.warnings)
    assert "a minus b: no replicate in which neither failed" in findings.summary()
    printed = findings.to_dict()["differences"][0]
    assert printed["pairs"] == 0 and math.isnan(printed["mean"]) and not printed["decided"]


def test_trainings_that_could_not_be_made_count_as_failed():
    """Nothing is known of them, not even their number of parameters."""
    findings = found(
        made_up_study("ab", [1.0], 2), lambda label, *_: "too large" if label == "b" else scored(0.5, 0.5)
    )
    b = findings.results[1]
    assert (b.parameters, b.steps) == (None, None)
    assert b.failed.all() and b.collapsed.all()
    assert "some trainings could not be made: too large" in findings.warnings
    assert " –" in findings.summary()


def test_the_summary_says_what_is_better():
    """Accuracies in per cent; larger accuracies and smaller losses are better."""
    more = {"a": 0.75, "b": 0.25}

    def at(score):
        return lambda label, _, r: scored(more[label], more[label] + 0.01 * r * (label == "a"), score)

    study = made_up_study("ab", [1.0], 3, [("a", "b"), ("b", "a")])
    text = found(study, at("accuracy")).summary()
    assert "a minus b: +51 ± 2.5 (95 %, 3 pairs): better" in text
    assert "b minus a: -51 ± 2.5 (95 %, 3 pairs): worse" in text
    assert "76 ± 0.58" in text
    assert "a minus b: +0.51 ± 0.025 (95 %, 3 pairs): worse" in found(study, at("loss")).summary()
    same = found(study, lambda *_: scored(0.5, 0.5)).summary()
    assert "a minus b: +0 ± 0 (95 %, 3 pairs): the same in each" in same


def test_what_is_printed_has_the_promised_keys():
    """`results`: model, parameters, rate, mean, standard_error, collapsed, seeds; `data`; `budget`."""
    printed = found(made_up_study("ab", [1.0], 2, [("a", "b")]), lost).to_dict()
    assert printed.keys() >= {"results", "data", "budget", "differences", "warnings"}
    for result in printed["results"]:
        assert result.keys() >= {
            *("model", "parameters", "rate", "mean", "standard_error", "collapsed", "seeds", "steps"),
        }
    assert printed["results"][0]["seeds"] == 2
    assert printed["budget"] == {"epochs": 30, "batch": 32, "seeds": 2, "seed": 0, "rates": 1}


def real(path, **change):
    """The file of a real study, its trainings made up; some of its definition changed."""
    study = find_study("gsgd", Settings("digits", seeds=2, quick=True))
    dataset = made_up_dataset(study, lambda *_: scored(0.5, 0.5))
    definition = json.loads(dataset.attrs["definition"])
    definition["options"] |= change
    dataset.attrs["definition"] = json.dumps(definition)
    write_dataset(dataset, path)
    return study, dataset


def test_findings_are_read_from_the_file_alone(tmp_path):
    study, dataset = real(tmp_path / "s.nc")
    back = read_findings(tmp_path / "s.nc")
    assert back.study == study
    assert json.dumps(back.to_dict(), default=list) == json.dumps(
        Findings.of(study, dataset).to_dict(), default=list
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"quick": False}, "another version of the study 'gsgd'"),
        ({"study": "relinear"}, "another version of the study 'relinear'"),
        ({"study": "nothing"}, "`study` is 'nothing'"),
        ({"more": 1}, "damaged study"),
        ({"epochs": -1}, "`epochs` is -1"),
    ],
)
def test_files_that_are_no_study_of_ours_are_refused(tmp_path, change, reason):
    real(tmp_path / "s.nc", **change)
    with pytest.raises(ProblemError, match=reason):
        read_findings(tmp_path / "s.nc")
