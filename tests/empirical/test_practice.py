"""What the corrections read off a run: also where its data were drawn, which makes them what they are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dynamics import Problem, Student, Teacher
from empirical import TrainingData, compare, data, train
from empirical.counted_streams import CountedStreams
from empirical.experiments.generalisation import train_and_test
from empirical.practice import Practice, data_sets

PROBLEM = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(2, 3, scale=0.4, seed=1))
OPTIONS = {"samples": 12, "batch": 0, "label_noise": 0.1, "seeds": 2, "seed": 7, "dtype": "float64"}


@pytest.fixture
def handed_out(monkeypatch):
    """What streams of data were asked for, (device, first inputs, first labels); all of them drawn on the processor."""
    found = []
    batches = TrainingData.weighted_batches

    def spied(self, dtype, device):
        x, y, _ = next(batches(self, dtype, "cpu"))
        found.append((str(device), x, y))
        return batches(self, dtype, "cpu")

    monkeypatch.setattr(TrainingData, "weighted_batches", spied)
    return found


@pytest.mark.parametrize("counted", [False, True])
def test_data_sets_are_those_trained_on(handed_out, counted, monkeypatch):
    """Bit by bit, from generators as on a processor and from hashes as on an accelerator."""
    if counted:
        monkeypatch.setattr(data, "GeneratorStreams", CountedStreams)
    run = train(PROBLEM, steps=2, step=1e-3, **OPTIONS)
    (_, x, y), *_ = handed_out
    X, Y = data_sets(PROBLEM, Practice.of(run))
    np.testing.assert_array_equal(X, x.numpy())
    np.testing.assert_array_equal(Y, y.numpy())


def test_data_sets_are_drawn_where_networks_were_trained(handed_out):
    run = train(PROBLEM, steps=2, step=1e-3, **OPTIONS)
    there = replace(run, about=run.about | {"device": "cuda:1"})
    handed_out.clear()
    data_sets(PROBLEM, Practice.of(there))
    assert [device for device, *_ in handed_out] == ["cuda:1"]


@pytest.mark.parametrize(
    "study",
    [
        lambda: compare(PROBLEM, steps=20, step=1e-3, records=3, device="cpu:0", **OPTIONS),
        lambda: train_and_test(PROBLEM, samples=12, steps=20, step=1e-3, seeds=2, device="cpu:0", records=3),
    ],
    ids=["gap", "train and test"],
)
def test_theories_draw_data_on_the_device_of_the_run(handed_out, study):
    """Another name of the processor, which its tensors do not keep, is handed through to the theory."""
    study()
    assert [device for device, *_ in handed_out] == ["cpu", "cpu:0"]
    assert all(torch.equal(x, handed_out[0][1]) for _, x, _ in handed_out)
