"""The result of an integration: a learning curve with everything that can be read off it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.curves.decay_law import DECAY_INTEGRAL, balance_by_law
from dynamics.curves.followed import Followed
from dynamics.curves.skills import skill_lines, skill_variables, skills_of
from dynamics.curves.stages import Stage, called, find_stages, levels_passed, plateau_rows
from dynamics.curves.units import (
    C_K,
    C_K_LAW,
    DRIFT,
    LAWLESS,
    conserved_or_none,
    overlaps_and_norms,
    unit_variables,
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
from dynamics.errors import ProblemError
from dynamics.files.archives import Archive
from dynamics.integration import SolverReport
from dynamics.population.biased import unit_weights
from dynamics.problem import Problem, Student
from dynamics.problem.classification import Skill
from dynamics.problem.levels import Level
from dynamics.problem.mode_numbers import mode_numbers
from dynamics.problem.modes import EIGENVALUE
from dynamics.problem.outputs import network_outputs
from dynamics.problem.plateaus import as_found, plateaus
from dynamics.problem.reduction import Reduction, restricted
from dynamics.problem.sphere_plateaus import sphere_plateaus
from dynamics.problem.storage import problem_attributes, problem_parts, read_bounded, read_problem
from dynamics.validation import validate_times
from dynamics.versions import versions
from dynamics.words import counted, listed

LARGEST_STORED_W = 50_000_000  # entries of W(t) beyond which a file keeps reduced coordinates only


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory(Followed):
    """A solution of the flow at its sample times (T of them).

    Parameters
    ----------
    problem : Problem
    times : (T,) array
        Of the flow (`dynamics.clock.Clock` counts them in steps of a descent).
    coordinates : (T, K, r) array
        First-layer weights in the reduced coordinates.
    A : (T, O, K) array
        Second-layer weights.
    basis : (d, r) array or None
        Lifts reduced coordinates to weights, W = coordinates @ basisᵀ; None: they are the weights.
    loss : (T,) array
        Population loss, in squared units of the output; on a data set that of the samples to train on.
    modes : (T, modes) array
        v_iᵀ M v_i for each teacher eigenvector of non-zero eigenvalue, eigenvalues descending, outputs
        one after the other; for other activations than the quadratic ones see `dynamics.problem.modes`. None, (T, 0),
        where φ is not homogeneous or the teacher has another activation: `overlaps` and `norms` stand for them; without
        a teacher the norms alone.
    solver : SolverReport
    versions : dict
    decay_integral : (T, K) array or None
        What the law of c_k needs where the layers decay differently (`dynamics.curves.decay_law`).
    conserved_law : (T, K) array or None
        c_k by its law under weight decay where the flow makes that another one than gradient flow does; NaN where
        there is none.
    test_loss : (T,) array or None
        Loss of the samples of a data set that were held out; None if there are none.
    bias : (T, O) array or None
        β of the outputs, where it is trained; else None.
    """

    KIND = "trajectory"
    THEORY = "flow"

    problem: Problem
    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True)]
    coordinates: Annotated[Array, Meaning("time unit coordinate", "reduced first-layer weights", detail=True)]
    A: Annotated[Array, Meaning("time output unit", "second-layer weights", detail=True)]
    basis: Annotated[Array | None, Meaning("input coordinate", "lifts reduced weights", detail=True)]
    loss: Annotated[Array, Meaning("time", LOSS, LOSS_UNIT)]
    modes: Annotated[Array, Meaning("time mode", "learned part vᵀMv of each teacher eigenvector")]
    solver: SolverReport
    versions: dict[str, str] = field(default_factory=versions)
    decay_integral: Annotated[Array | None, Meaning("time unit", DECAY_INTEGRAL, detail=True)] = None
    conserved_law: Annotated[Array | None, Meaning("time unit", C_K_LAW, detail=True)] = None
    test_loss: Annotated[Array | None, Meaning("time", TEST_LOSS, LOSS_UNIT)] = None
    bias: Annotated[Array | None, Meaning("time output", "trained bias of the output")] = None

    @classmethod
    def from_states(
        cls,
        problem: Problem,
        reduction: Reduction,
        times: Array,
        W: Array,
        A: Array,
        solver: SolverReport,
        decay_integral: Array | None = None,
    ) -> Trajectory:
        """Measure loss and modes along the states W (T, K, r), A (T, O, K) of a reduced problem.

        Of one with a trained bias A is (T, O, K + 1), see `dynamics.population.biased`.
        What is as large as the problem itself is lifted: its coordinates are the weights.
        """
        small = reduction.problem

        with np.errstate(over="ignore", invalid="ignore"):  # a solution that explodes has an infinite loss
            loss, held_out = small.population.losses(W, A), small.test_population
            test_loss = None if held_out is None else held_out.losses(W, A)
            units = unit_weights(W, A)
            modes = small.modes(W, units)
        return cls(
            problem,
            times,
            W if reduction.smaller else reduction.lift(W),
            np.array(units),
            reduction.basis if reduction.smaller else None,
            loss,
            modes,
            solver,
            decay_integral=decay_integral,
            test_loss=test_loss,
            bias=A[..., -1].copy() if problem.bias.trainable else None,
        )

    @property
    def W(self) -> Array:
        """First-layer weights (T, K, d). For a huge d ask `W_at` for single times instead."""
        return self.coordinates if self.basis is None else self.coordinates @ self.basis.T

    def W_at(self, index: int) -> Array:
        """First-layer weights (K, d) at one sample time."""
        w = self.coordinates[index]
        return w if self.basis is None else w @ self.basis.T

    def student_at(self, index: int) -> Student:
        """The network at one sample time."""
        return replace(self.problem.student, W=self.W_at(index), A=self.A[index])

    def outputs(self, X: ArrayLike) -> Array:
        """What the network says of inputs (n, d) at the sample times, (T, n, O); of one input (d,), (T, O)."""
        phi, Sigma = self.problem.activation, self.problem.variance
        found = np.stack([network_outputs(self.W_at(i), A, X, phi, Sigma) for i, A in enumerate(self.A)])
        if self.bias is None:
            return found - self.problem.bias.start if self.problem.bias else found
        return found - (self.bias if found.ndim == 2 else self.bias[:, None])

    @property
    def a(self) -> Array:
        """Second-layer weights (T, K) of a network with one output."""
        if self.A.shape[1] != 1:
            raise ProblemError(f"This network has {self.A.shape[1]} outputs: use `A`, of shape (T, O, K).")
        return self.A[:, 0]

    @property
    def reduced_dimension(self) -> int:
        """Inputs r of the problem that was really integrated."""
        return self.coordinates.shape[2]

    @property
    def taught(self) -> bool:
        """Whether labels are those of a teacher."""
        return self.problem.teacher.given

    @property
    def degree(self) -> int | None:
        """Degree of homogeneity of the activation, or None."""
        return self.problem.activation.degree

    @cached_property
    def objective(self) -> Array | None:
        """Loss with the penalty of the weight decay, R(t), (T,); None without decay."""
        decay = self.problem.weight_decay
        return self.loss + decay.penalty(self.coordinates, self.A) if decay else None

    @cached_property
    def conserved(self) -> Array | None:
        """c_k(t) = ‖w_k‖² − h Σ_o A_ok², (T, K): constants of the flow if the second layer is trained.

        None where φ is not homogeneous, and of the limit of infinitely many units.
        """
        if self.problem.student.infinite:
            return None
        return conserved_or_none(self.coordinates, self.A, self.degree)

    @property
    def second_layer(self) -> Array:
        """A as flows and losses take it: with a bias that is trained as a further column, (T, O, K + 1)."""
        return self.A if self.bias is None else np.concatenate([self.A, self.bias[..., None]], axis=-1)

    @cached_property
    def skills(self) -> dict[str, Skill]:
        """How well the network tells two classes, see `dynamics.curves.skills`; empty for losses of the residual."""
        return skills_of(self._reduced, self.coordinates, self.second_layer)

    @property
    def accuracy(self) -> Array | None:
        """Share of right answers, (T,); None for losses of the residual."""
        return self.skills[""].accuracy if self.skills else None

    @property
    def calibration(self) -> Array | None:
        """Expected calibration error, (T,); None for losses of the residual."""
        return self.skills[""].calibration if self.skills else None

    @property
    def _reduced(self) -> Problem:
        """The problem in the coordinates of the weights."""
        return self.problem if self.basis is None else restricted(self.problem, self.basis).problem

    @property
    def overlaps(self) -> Array:
        """Cosines of w_k with the teacher directions v_m, in the metric of Σ, (T, K, R)."""
        return self._units[0]

    @property
    def norms(self) -> Array:
        """Norms √(w_kᵀΣw_k) of the units, the standard deviations of w_k·x, (T, K)."""
        return self._units[1]

    @cached_property
    def _units(self) -> tuple[Array, Array]:
        small = self._reduced
        return overlaps_and_norms(self.coordinates, small.teacher.V, small.second_moment)

    @property
    def conserved_drift(self) -> float | None:
        """Largest deviation of c_k(t) from c_k(0), or from its exact law where weights decay; NaN where it has none.

        Not small, and not meant to be, if the second layer is fixed.
        """
        if self.expected is None or self.conserved is None:
            return None
        return float(np.abs(self.conserved - self.expected).max())

    @property
    def lawless(self) -> bool:
        """Whether c_k has no law along the flow that could say its drift."""
        return self.conserved_law is not None and bool(np.isnan(self.conserved_law).all())

    def under(self, lawful: Problem | None) -> Self:
        """The curve with c_k by the law that another problem's decay makes; None where there is no law.

        As it is where no c_k is conserved without decay.
        """
        if self.conserved is None or not self.problem.student.trainable:
            return self
        if lawful is None:
            return replace(self, conserved_law=np.full_like(self.conserved, np.nan))
        law, _ = balance_by_law(lawful, self.times, self.conserved, self.A, self.decay_integral)
        return replace(self, conserved_law=law)

    @cached_property
    def expected(self) -> Array | None:
        """c_k(t) by its exact law from c_k(0), (T, K); c_k(0) where nothing decays. See `dynamics.curves.decay_law`."""
        if self.conserved is None:
            return None
        if self.conserved_law is not None:
            return self.conserved_law
        return balance_by_law(self.problem, self.times, self.conserved, self.A, self.decay_integral)[0]

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """Plateaus of the loss, in order of time, with the fixed points they belong to where a catalogue exists.

        Modes are called by their numbers (`dynamics.problem.mode_numbers`).
        """
        problem = self.problem
        if not problem.has_modes:
            return find_stages(self.times, self.loss)
        targets = problem.mode_targets
        found = find_stages(self.times, self.loss, self.modes, targets, levels=self._levels[0])
        return called(found, mode_numbers(targets, problem.all_inputs, problem.teacher.outputs))

    @cached_property
    def _levels(self) -> tuple[tuple[Level, ...], str]:
        """Levels of the plateaus that the curve may have come by, and why some of them are missing."""
        problem, missing = self.problem, list[str]()
        level, levels = plateaus(problem), sphere_plateaus(problem)
        if level is not None:
            of = partial(as_found(level, missing), problem.mode_targets)
            levels = levels_passed(self.modes, problem.mode_targets, level=of)
        return levels, f"Some plateaus have no predicted level. {missing[0]}" if missing else ""

    @property
    def levels_missing(self) -> str:
        """Why some plateaus have no predicted level, in words; empty where all have, or none is known."""
        return self._levels[1] if self.problem.has_modes else ""

    def variables(self) -> Variables:
        """Curves, weights and what follows from them; of reduced weights both kinds, unless W is too large."""
        problem, found = self.problem, super().variables()
        if len(self.times) * problem.student.W.size <= LARGEST_STORED_W:
            found["W"] = Variable(("time", "unit", "input"), self.W, "first-layer weights", detail=True)
            if self.basis is None:
                del found["coordinates"]  # the same numbers
        if self.objective is not None:
            found["objective"] = Variable(("time",), self.objective, OBJECTIVE, LOSS_UNIT)
        found = measured_in(problem.loss.unit, found) | skill_variables(self.skills)
        if self.conserved is not None:
            found["conserved"] = Variable(("time", "unit"), self.conserved, C_K, detail=True)
            found["conserved_drift"] = Variable((), self.conserved_drift, DRIFT)
        if problem.has_modes:
            targets = problem.mode_targets
            return found | {"eigenvalues": Variable(("mode",), targets, EIGENVALUE, label=True, detail=True)}
        del found["modes"]
        overlaps = self.overlaps if self.taught else None
        return found | unit_variables(overlaps, self.norms, ("time",))

    def attributes(self) -> dict[str, Any]:
        """Sizes and kind of the network, solver, versions."""
        return problem_attributes(self.problem) | asdict(self.solver) | {"versions": self.versions}

    def summary(self) -> str:
        """What happened, in a few lines."""
        s = self.solver
        lines = [
            f"{counted(len(self.times), 'sample')} up to t = {self.times[-1]:.6g} ({s.ending})",
            f"loss {self.loss[0]:.6g} → {self.loss[-1]:.6g}",
        ]
        if self.test_loss is not None:
            lines.append(f"loss on the samples held out {self.test_loss[0]:.6g} → {self.test_loss[-1]:.6g}")
        lines += skill_lines(self.skills)
        if self.objective is not None:
            lines.append(f"objective, with weight decay, {self.objective[0]:.6g} → {self.objective[-1]:.6g}")
        if self.problem.has_modes:
            lines.append("modes " + listed(self.modes[-1]))
        else:
            lines.append(units_summary(self.overlaps[-1], self.norms[-1]))
        if self.degree is not None:
            if self.lawless:
                lines.append(LAWLESS)
            elif self.problem.student.trainable:
                lines.append(f"largest drift of a conserved quantity {self.conserved_drift:.2e}")
        lines.append(
            f"{s.method}: {counted(s.evaluations, 'evaluation')}, {s.seconds:.3g} s, {self.reduced_dimension} of "
            f"{counted(self.problem.all_inputs, 'input')} after reduction"
        )
        return "\n".join([*lines, s.message] if s.message else lines)

    def plateaus(self) -> list[tuple[str, ...]]:
        """Rows of the table of plateaus that a notebook shows."""
        return plateau_rows(self.stages, self.problem.has_modes)

    def stored(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a file holds: the second layer as `a`, (T, K) of one output, (T, O, K) of several."""
        about, arrays = super().stored()
        A = arrays.pop("A")
        arrays["a"] = A[:, 0] if A.shape[1] == 1 else A
        return about, arrays

    @classmethod
    def read(cls, f: Archive, about: Mapping[str, Any], number: int) -> Self:
        """The trajectory in an open archive, every part checked against the others."""
        found = super().read(f, about, number)
        validate_times(found.times)
        if found.modes.shape[1] != len(found.problem.mode_targets):
            raise ProblemError(f"`modes` has shape {found.modes.shape}, which does not fit the teacher.")
        return found

    @classmethod
    def _read_array(cls, f: Archive, name: str, field: Described) -> Any:
        """A bounded array; what is stored under another name, or not at all, is found."""
        meaning = field.meaning
        if field.optional and name not in f:
            return None
        if name == "coordinates" and name not in f:
            return read_bounded(f, "W", ("time", "unit", "input"))
        if name == "A":
            several = f.numbers("a").ndim == 3
            a = read_bounded(f, "a", ("time", "output", "unit") if several else ("time", "unit"))
            return a if several else a[:, None]
        if name == "modes" and name not in f and "norms" in f:
            return np.zeros((len(f.numbers("times")), 0))
        return read_bounded(f, name, meaning.axes)

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return problem_parts(self.problem)

    @classmethod
    def _read_parts(cls, f: Archive, about: Mapping[str, Any]) -> dict[str, Any]:
        return {"problem": read_problem(f, about)}
