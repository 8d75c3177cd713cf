"""The test sample of the recorder is nobody's training data, and always the same."""

import numpy as np
import torch

from dynamics import Problem, Student, Teacher
from empirical import QuadraticNetwork, Recorder, TrainingData, train
from empirical.optimizers import OPTIMIZERS

PROBLEM = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(2, 3, scale=0.5, seed=4))


def sampled_loss(problem=PROBLEM, n=8):
    """Loss of the initial network on the recorder's test sample."""
    recorder = Recorder(problem, step=1.0, test_samples=n)
    recorder(QuadraticNetwork.from_student(problem.student), 0)
    return recorder.run().loss[0, 0]


def test_it_is_no_training_sample():
    """Loss of the same network on the first batch of each of the seeds 0 … 9, which a user may well choose."""
    found = sampled_loss()
    network = QuadraticNetwork.from_student(PROBLEM.student)
    with torch.no_grad():
        for seed in range(10):
            x, y = next(TrainingData(PROBLEM, batch=8, seed=seed).batches(torch.float64, "cpu"))
            assert abs(0.5 * (network(x[0]) - y[0]).square().mean().item() - found) > 1e-6 * found


def test_it_is_independent_of_the_initial_weights():
    """The same sample whatever the seed of the student: two students of equal weights measure the same loss."""
    other = Problem(PROBLEM.teacher, Student(PROBLEM.student.W, PROBLEM.student.A))
    assert sampled_loss() == sampled_loss(other)


def test_it_is_the_same_at_every_step():
    """A network that does not move has one loss; in training, the first record is that of the start."""
    recorder = Recorder(PROBLEM, step=1.0, test_samples=8)
    network = QuadraticNetwork.from_student(PROBLEM.student)
    for n in range(3):
        recorder(network, n)
    assert np.ptp(recorder.run().loss) == 0
    run = train(PROBLEM, steps=2, step=1e-3, batch=4, seeds=2, test_samples=8, dtype="float64")
    np.testing.assert_allclose(run.loss[:, 0], sampled_loss(), rtol=1e-12)


def test_it_has_no_label_noise():
    """A network with the teacher's own weights has none of it to show."""
    teacher = Problem(PROBLEM.teacher, Student(PROBLEM.teacher.V, PROBLEM.teacher.B))
    run = train(teacher, steps=1, step=1e-3, batch=4, label_noise=5.0, test_samples=8, dtype="float64")
    assert run.loss[0, 0] < 1e-20 < run.loss[0, 1]


def test_summary_of_a_run():
    """Medians over the networks of first and last record, in one line each."""
    run = train(PROBLEM, steps=4, step=1e-2, batch=8, seeds=3, records=2, dtype="float64")
    first, last = np.median(run.loss, axis=0)
    modes = np.median(run.modes[:, -1], axis=0)
    drift = max(abs(run.conserved[s, 1, k] - run.conserved[s, 0, k]) for s in range(3) for k in range(2))
    assert run.summary().split("\n") == [
        "3 seeds, 4 steps up to t = 0.04",
        f"loss (median) {first:.6g} → {last:.6g}, measured exactly from the weights",
        f"modes (median) {modes[0]:.4g}, {modes[1]:.4g}",
        f"largest drift of c_k {drift:.2e}",
        f"of the conserved quantities sgd keeps {OPTIMIZERS['sgd'].survives}",
        f"{run.about['steps_per_second']:.0f} steps per second (all seeds together)",
    ]
    assert train(PROBLEM, steps=1, step=1e-2, batch=8).summary().startswith("1 seed, 1 step")
