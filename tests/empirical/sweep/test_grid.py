"""A sweep's runs follow from its definition alone."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics import ProblemError
from empirical.sweep.grid import Axis, SweepPlan, difference


def plan(**changes):
    given = {
        "kinds": ("simulate", "train"),
        "options": {"teacher": "2,1", "step": 0.1},
        "axes": (Axis("x", (1.0, 2.0, 3.0)), Axis("name", ("p", "q"))),
        "replicates": 2,
    }
    return SweepPlan(**(given | changes))


def test_every_kind_runs_at_every_point_with_every_replicate():
    runs = list(plan().runs())
    assert len(runs) == len(plan()) == 3 * 2 * 2 * 2
    assert [run.index for run in runs] == list(range(24))
    points = {(r.kind, r.options["x"], r.options["name"], r.options["seed"]) for r in runs}
    assert len(points) == 24
    assert all(run.options["teacher"] == "2,1" for run in runs)


def test_a_varied_option_wins_over_the_shared_one():
    (run,) = plan(kinds=("simulate",), axes=(Axis("step", (0.5,)),), replicates=1).runs()
    assert run.options["step"] == 0.5


@given(st.lists(st.integers(1, 4), max_size=3), st.integers(1, 3), st.integers(1, 3))
def test_the_place_of_a_run_is_that_of_its_options(lengths, replicates, kinds):
    """Index → place → options is the identity, for every shape of grid."""
    axes = tuple(Axis(f"x{i}", tuple(range(n))) for i, n in enumerate(lengths))
    names = ("simulate", "train", "diagnose")[:kinds]
    p = SweepPlan(names, {}, axes, replicates)
    seeds = p.seeds()
    for run in p.runs():
        kind, place = p.place(run.index)
        assert kind == run.kind
        assert place[:-1] == tuple(run.options[axis.name] for axis in axes)
        assert seeds[place] == run.options["seed"]


def test_seeds_are_spawned_from_the_place_in_the_grid():
    """NumPy's own spawning: children of children of the sweep's seed."""
    seeds = plan(seed=5).seeds().reshape(6, 2)
    for cell, parent in enumerate(np.random.SeedSequence(5).spawn(6)):
        children = [int(child.generate_state(1, np.uint64)[0]) >> 11 for child in parent.spawn(2)]
        assert seeds[cell].tolist() == children
    assert len(np.unique(seeds)) == 12
    assert seeds.max() < 2**53


def test_same_seeds_at_every_point():
    seeds = plan(same_seeds=True).seeds()
    assert (seeds == seeds[0, 0]).all()
    assert len(np.unique(seeds)) == 2


def test_runs_travel_to_other_processes():
    run = next(iter(plan().runs()))
    assert pickle.loads(pickle.dumps(run)) == run


def test_definitions_tell_sweeps_apart_and_say_in_what():
    same, other = plan(), plan(options={"teacher": "2,1", "step": 0.2}, replicates=3)
    assert plan().definition() == same.definition() != other.definition()
    assert difference(same.definition(), other.definition()) == "replicates, step"
    turned = plan(axes=plan().axes[::-1])  # other seeds at the same points
    assert difference(same.definition(), turned.definition()) == "vary"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"replicates": 0}, "at least 1"),
        ({"seed": -1}, "at least 0"),
        ({"kinds": ()}, "simulate, train, compare, diagnose"),
        ({"kinds": ("train", "train")}, "twice"),
        ({"axes": (Axis("x", (1,)), Axis("x", (2,)))}, "twice"),
        ({"axes": (Axis("seed", (1, 2)),)}, "replicates"),
        ({"axes": (Axis("unit", (1, 2)),)}, "dimension of every result"),
    ],
)
def test_bad_plans_are_refused(changes, words):
    with pytest.raises(ProblemError, match=words):
        plan(**changes)


def test_bad_axes_are_refused():
    with pytest.raises(ProblemError, match="at least one"):
        Axis("x", ())
    with pytest.raises(ProblemError, match="different"):
        Axis("x", (1, 1.0))
