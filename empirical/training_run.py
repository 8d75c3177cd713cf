"""What was measured of networks in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.curves.decay_law import balance_by_law
from dynamics.curves.result import Result
from dynamics.curves.skills import ACCURACY, CALIBRATION, SETS
from dynamics.curves.units import (
    C_K,
    C_K_LAW,
    DRIFT,
    NORMS,
    OVERLAPS,
    units_summary,
)
from dynamics.curves.variables import (
    LOSS,
    LOSS_UNIT,
    OBJECTIVE,
    TEST_LOSS,
    TIME_UNIT,
    Described,
    Meaning,
    Variable,
    Variables,
    measured_in,
)
from dynamics.files.archives import Archive
from dynamics.files.formats import flow_times
from dynamics.problem import Problem
from dynamics.words import counted, listed

REAL = (int, float)
HELD_OUT = SETS["test_"]
# what `TrainingRun` itself and those who print it read of `about`, where it is there
ABOUT: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("step", "momentum", "steps_per_second"), REAL),
    **{"notes": list, "versions": dict},
}
RESOLVED = 0.3  # error of an integral over records, relative to the drift that is measured with it, that needs no note
NO_LAW = "under weight decay the c_k of {} have no law in the time of its steps: their drift is not known"


@dataclass(frozen=True, eq=False, repr=False)
class TrainingRun(Result):
    """What was measured of S networks in training, at T recorded steps.

    Parameters
    ----------
    steps : (T,) integer array
    times : (T,) array
        Of the flow (`dynamics.clock.Clock`).
    loss : (S, T) array
        Generalisation loss E ℓ(f, y), such as ½ E‖f* − f‖² (without label noise); on a data set that of the samples to
        train on.
    modes : (S, T, modes) array
        v_iᵀ M v_i for each teacher eigenvector, eigenvalues descending; none where φ is not homogeneous or the teacher
        has another activation.
    conserved : (S, T, K) array or None
        c_k = ‖w_k‖² − h Σ_o A_ok²; None where φ is not homogeneous.
    W : (S, T, K, d) array or None
        First-layer weights; None if they would have been too many to keep.
    A : (S, T, O, K) array
    loss_measured : str
        How the loss was measured.
    about : dict
        Options of the training, speed, versions, notes.
    overlaps, norms : (S, T, K, R), (S, T, K) arrays or None
        Cosines of w_k with v_m and norms, in the metric of Σ (`dynamics.curves.units`), where there are no modes; no
        overlaps without a teacher, or where they would have been too many to keep.
    objective : (S, T) array or None
        Loss with the penalty of the weight decay; None where nothing decays.
    conserved_law : (S, T, K) array or None
        c_k by its exact law under weight decay, from the first record on; None where nothing decays.
    rates : (N,) array or None
        Learning rates of all steps, as read from an optimiser; None of other runs.
    test_loss : (S, T) array or None
        Loss of the samples of a data set that were held out; None if there are none.
    bias : (S, T, O) array or None
        The output bias β, where it is trained.
    accuracy, calibration : (S, T) arrays or None
        Of a loss of two classes the share of right answers and the expected calibration error
        (`dynamics.problem.classification`), measured where the loss is; None of others.
    test_accuracy, test_calibration : (S, T) arrays or None
        Likewise on the samples of a data set that were held out.
    unit : str
        Of the losses: that of the loss that was trained (`dynamics.losses.Loss`).
    """

    KIND = "training run"

    steps: Annotated[NDArray[np.int64], Meaning("time", "number of training steps", label=True, kind=int)]
    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True)]
    loss: Annotated[Array, Meaning("network time", LOSS, LOSS_UNIT)]
    modes: Annotated[Array, Meaning("network time mode", "learned part vᵀMv of each teacher eigenvector")]
    conserved: Annotated[Array | None, Meaning("network time unit", C_K, detail=True)]
    W: Annotated[Array | None, Meaning("network time unit input", "first-layer weights", detail=True)]
    A: Annotated[Array, Meaning("network time output unit", "second-layer weights", detail=True)]
    loss_measured: str
    about: dict[str, Any] = field(default_factory=dict)
    overlaps: Annotated[Array | None, Meaning("network time unit teacher_direction", OVERLAPS)] = None
    norms: Annotated[Array | None, Meaning("network time unit", NORMS)] = None
    objective: Annotated[Array | None, Meaning("network time", OBJECTIVE, LOSS_UNIT)] = None
    conserved_law: Annotated[Array | None, Meaning("network time unit", C_K_LAW, detail=True)] = None
    rates: Annotated[Array | None, Meaning("step", "learning rate of each step", detail=True)] = None
    test_loss: Annotated[Array | None, Meaning("network time", TEST_LOSS, LOSS_UNIT)] = None
    bias: Annotated[Array | None, Meaning("network time output", "trained bias of the output")] = None
    accuracy: Annotated[Array | None, Meaning("network time", ACCURACY)] = None
    calibration: Annotated[Array | None, Meaning("network time", CALIBRATION)] = None
    test_accuracy: Annotated[Array | None, Meaning("network time", ACCURACY + HELD_OUT)] = None
    test_calibration: Annotated[Array | None, Meaning("network time", CALIBRATION + HELD_OUT)] = None
    unit: str = LOSS_UNIT

    @property
    def taught(self) -> bool:
        """Whether labels are those of a teacher."""
        return self.about.get("labels") != "given"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers should know."""
        return tuple(map(str, self.about.get("notes", ())))

    @property
    def drifts(self) -> Array | None:
        """Largest deviation of c_k(t) from c_k(0), or from its law where weights decay, of each network, (S,)."""
        if self.conserved is None:
            return None
        law = self.conserved[:, :1] if self.conserved_law is None else self.conserved_law
        with np.errstate(invalid="ignore"):  # a network that diverged has no drift, that is NaN
            return np.abs(self.conserved - law).max(axis=(1, 2))

    @property
    def conserved_drift(self) -> float | None:
        """The largest of them over seeds."""
        return None if self.drifts is None else float(self.drifts.max())

    def variables(self) -> Variables:
        """What was recorded, and the drift of c_k."""
        found = measured_in(self.unit, super().variables())
        if self.norms is not None:
            del found["modes"]
        if self.drifts is not None:
            found["conserved_drift"] = Variable(("network",), self.drifts, DRIFT)
        return found

    def attributes(self) -> dict[str, Any]:
        """How the loss was measured, and the options of the training."""
        about = {"step_size" if name == "step" else name: value for name, value in self.about.items()}
        return {"loss_measured": self.loss_measured} | about

    def summary(self) -> str:
        """What happened, in a few lines."""
        first, last = np.median(self.loss[:, 0]), np.median(self.loss[:, -1])
        lines = [
            f"{counted(len(self.loss), 'seed')}, {counted(self.steps[-1], 'step')} up to t = {self.times[-1]:.6g}",
            f"loss (median) {first:.6g} → {last:.6g}, measured {self.loss_measured}",
        ]
        if self.test_loss is not None:
            first, last = np.median(self.test_loss[:, 0]), np.median(self.test_loss[:, -1])
            lines.append(f"loss on the samples held out (median) {first:.6g} → {last:.6g}")
        for name, shares in (("", self.accuracy), (HELD_OUT, self.test_accuracy)):
            if shares is not None:
                first, last = np.median(shares[:, 0]), np.median(shares[:, -1])
                lines.append(f"accuracy{name} (median) {first:.4g} → {last:.4g}")
        if self.norms is None:
            lines.append("modes (median) " + listed(np.median(self.modes[:, -1], axis=0)))
        else:
            overlaps = None if self.overlaps is None else np.median(self.overlaps[:, -1], axis=0)
            lines.append(f"{units_summary(overlaps, np.median(self.norms[:, -1], axis=0))} (medians)")
        if self.conserved is not None:
            if self.conserved_law is None or not np.isnan(self.conserved_law).all():
                lines.append(f"largest drift of c_k {self.conserved_drift:.2e}")
            if self.about.get("survives"):
                lines.append(
                    f"of the conserved quantities {self.about['optimizer']} keeps {self.about['survives']}"
                )
        if self.about.get("rebases"):
            changes = counted(self.about["rebases"], "change")
            lines.append(f"{changes} of the basis of path space, where a path value would have passed zero")
        if "steps_per_second" in self.about:
            lines.append(f"{self.about['steps_per_second']:.0f} steps per second (all seeds together)")
        return "\n".join([*lines, *self.notes])

    def stored(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a file holds; it says the options of the training beside everything else that it says of itself."""
        about, arrays = super().stored()
        return self.about | {key: value for key, value in about.items() if key != "about"}, arrays

    @classmethod
    def read(cls, f: Archive, about: Mapping[str, Any], number: int) -> Self:
        """The run in an open archive, its times those of the flow whatever number its format has."""
        for key, kind in ABOUT.items():
            if key in about:
                f.part(about, key, kind)
        own = {"loss_measured": about.get("loss_measured"), "unit": about.get("unit", LOSS_UNIT)}
        options = {key: value for key, value in about.items() if key not in own}
        run = super().read(f, own | {"about": options}, number)
        return run if number > 1 else replace(run, times=flow_times(run.times, options, f.what))

    @classmethod
    def _read_array(cls, f: Archive, name: str, field: Described) -> Any:
        """An array; overlaps stand for modes, and c_k is there if they are not."""
        if name == "modes" and "modes" not in f and "norms" in f:
            return np.zeros((*f.numbers("loss").shape, 0))
        if name == "conserved" and "norms" not in f:
            return f.numbers(name, field.meaning.axes)
        return super()._read_array(f, name, field)


def with_decay_law(run: TrainingRun, problem: Problem | None) -> TrainingRun:
    """The run with c_k by the law that a problem's decay makes at its times; of None by none: NaN, and a note.

    As it is where φ is not homogeneous.
    """
    if run.conserved is None:
        return run
    if problem is None:
        run.about["notes"] = [*run.about.get("notes", ()), NO_LAW.format(run.about.get("optimizer"))]
        return replace(run, conserved_law=np.full_like(run.conserved, np.nan))
    if not problem.weight_decay:
        return replace(run, conserved_law=None)
    found = [balance_by_law(problem, run.times, c, A) for c, A in zip(run.conserved, run.A, strict=True)]
    law, error = np.stack([values for values, _ in found]), max(error for _, error in found)
    run = replace(run, conserved_law=law)
    drift = run.conserved_drift
    if error and drift is not None and error > RESOLVED * drift:
        note = (
            f"the drift of c_k is known only to ±{error:.2g}: its law under unequal decay is an integral along the run,"
            " for which the records are too far apart"
        )
        run.about["notes"] = [*run.about.get("notes", ()), note]
    return run
