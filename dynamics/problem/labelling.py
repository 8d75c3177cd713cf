"""What is learned of a teacher, or of a data set: which labels go with which loss."""

from __future__ import annotations

from dynamics.errors import ProblemError
from dynamics.inputs.data_set import DataSet
from dynamics.labels import BERNOULLI, EXACT, GIVEN, Labels
from dynamics.losses import Loss
from dynamics.problem.bias import Bias
from dynamics.problem.student import Student
from dynamics.problem.teacher import Teacher


def labels_for(labels: Labels | str | None, flip: float, loss: Loss, teacher: Teacher) -> Labels:
    """The labels of a problem: those that are named, or what goes with loss and teacher.

    Raises
    ------
    ProblemError
        If they do not go together.
    """
    if labels is None:
        labels = GIVEN if not teacher.given else BERNOULLI if loss.classifies else EXACT
    found = Labels.parse(labels)
    if found.given == teacher.given:
        says = (
            "the teacher gives them"
            if teacher.given
            else "those of the data are learned, as there is no teacher"
        )
        raise ProblemError(f"`labels` is {found.name!r}, but {says}: leave it out.")
    if not found.given and found.classes != loss.classifies:
        needs = "classes" if loss.classifies else "numbers, so `labels` must be 'exact'"
        raise ProblemError(f"`labels` is {found.name!r}, but `loss` is {loss.name!r}, which needs {needs}.")
    return found.flipped(flip)


def check_outputs(loss: Loss, student: Student, bias: Bias) -> None:
    """Refuse several outputs of two classes, a bias of the square loss, and one that is trained where A is fixed.

    Raises
    ------
    ProblemError
    """
    if loss.classifies and student.outputs > 1:
        raise ProblemError(
            f"`outputs` is {student.outputs}, but `loss` is {loss.name!r}, of two classes: it has one output."
        )
    if loss.is_square and bias:
        raise ProblemError(
            f"`bias` is {str(bias)!r}, but `loss` is 'square', of which the theory is without bias: give another loss."
        )

    if bias.trainable and not student.trainable:
        raise ProblemError(
            f"`bias` is {str(bias)!r}, but the second layer is fixed, to which it belongs: give a number for both."
        )


def two_classes(data: DataSet) -> DataSet:
    """The data set with labels 0 and 1 (or probabilities in between), which may be −1 and +1.

    Raises
    ------
    ProblemError
        If its labels are others.
    """
    low, high = float(data.Y.min()), float(data.Y.max())
    held_out = data.Y if data.Y_test is None else data.Y_test
    if low >= 0 and high <= 1 and held_out.min() >= 0 and held_out.max() <= 1:
        return data
    if not ((abs(data.Y) == 1).all() and (abs(held_out) == 1).all()):
        raise ProblemError(
            f"`data` has labels from {low:g} to {high:g}, but `loss` is of two classes: 0 and 1, or −1 and +1."
        )
    return data.relabelled(lambda Y: (Y + 1) / 2)
