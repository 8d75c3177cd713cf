"""Memory that training takes, before it is taken."""

from __future__ import annotations

from dataclasses import dataclass

from dynamics.budget import check_memory
from dynamics.problem import Problem
from dynamics.words import counted

DOUBLE = 8  # bytes; what is recorded, is recorded in double precision
PER_RECORD = 400  # bytes of the objects around the arrays of a record


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes that the training of one network takes.

    Parameters
    ----------
    step : int
        Inputs of a batch and labels of teacher and student, hidden layer with gradients.
    data : int
        The finite set, while it is drawn; of a data set there is one for all.
    records : int
        What is recorded, until the run is put together.
    """

    step: int
    data: int
    records: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.step + self.data + self.records


def training_memory(
    problem: Problem, *, batch: int, samples: int, records: int, itemsize: int, copies: int = 4
) -> TrainingMemory:
    """Memory for one network.

    Parameters
    ----------
    problem : Problem
    batch, samples : int
        Batch size (0: all samples), and size of the finite set (0: fresh data).
    records : int
        Number of records.
    itemsize : int
        Bytes of a number.
    copies : int
        Arrays of the size of the weights that a step of the optimiser takes, weights and gradients included.
    """
    student, R = problem.student, len(problem.teacher.V)
    d, K, O = student.inputs, student.hidden, student.outputs
    # A sample: its input; drawing it, the teacher's units twice (w·x and φ); training, the student's units.
    drawn = itemsize * (2 * d + 2 * R + 2 * O)
    weights = K * (d + O)
    units = K + R if problem.has_modes else K + K * R  # overlaps stand for modes
    return TrainingMemory(
        step=(batch or samples) * (itemsize * (5 * K + 4 * O) + (0 if samples else drawn))
        + (batch if samples else 0) * itemsize * (d + O)
        + (copies + bool(problem.weight_decay)) * itemsize * weights,
        data=samples * drawn if problem.data is None else 0,  # one data set, which is there
        records=records * (2 * DOUBLE * (weights + units + 1) + PER_RECORD),
    )


def check_training(
    problem: Problem,
    *,
    batch: int,
    samples: int,
    seeds: int,
    records: int,
    itemsize: int,
    copies: int = 4,
    test_samples: int = 0,
) -> None:
    """Refuse training that does not fit into the memory, by what takes most of it.

    Raises
    ------
    ProblemError
    """
    one = training_memory(
        problem, batch=batch, samples=samples, records=records, itemsize=itemsize, copies=copies
    )
    test = training_memory(problem, batch=0, samples=test_samples, records=0, itemsize=itemsize)
    K, d = problem.student.hidden, problem.inputs
    size = f"{counted(seeds, 'network')} with {counted(K, 'hidden unit')} and {counted(d, 'input')}"
    parts = {
        one.step: (f"A step of {size} on batches of {batch or samples}", "lower `batch`, or `seeds`"),
        one.data: (f"Training sets of {samples} samples for {size}", "lower `samples`, or `seeds`"),
        one.records: (f"Recording {size} {records} times", "lower `records`, or `seeds`"),
    }
    what, remedy = parts[max(parts)]
    check_memory(what, seeds * one.total, remedy)
    check_memory(f"A test sample of {test_samples} for {size}", seeds * test.total, "lower `test-samples`")
