"""What the tests of wiring share: what a call of the command line must hand over, and how it is caught."""

import sys
from importlib import import_module
from typing import Any

import numpy as np

from dynamics import Problem, Student, Teacher
from dynamics.networks import NetworkProblem

FLOORS = ("quadflow", "figures", "empirical", "dynamics")
START = "--teacher 2,1 --inputs 3 --hidden 2 --init-scale 0.3 --seed 5"  # that of `Start()`
TRAINING = (
    "--step 0.02 --batch 8 --samples 64 --label-noise 0.3 --seeds 3 --optimizer momentum --momentum 0.6 "
    "--dtype float64 --records 7 --log-times --test-samples 11 --device cpu:0 --schedule cosine:0.1 "
    "--gradients autograd"
)
TRAINED = {
    **{"step": 0.02, "batch": 8, "samples": 64, "label_noise": 0.3, "seeds": 3, "seed": 5},
    **{"optimizer": "momentum", "momentum": 0.6, "dtype": "float64", "records": 7, "log_times": True},
    **{"test_samples": 11, "device": "cpu:0", "schedule": "cosine:0.1", "gradients": "autograd"},
}
PARAMETERS = "--betas 0.5,0.25 --epsilon 0.1 --damping 0.2 --decoupled"  # of no optimiser together
PARAMETRISED = {"betas": (0.5, 0.25), "epsilon": 0.1, "damping": 0.2, "decoupled": True}
UNTRAINED = {
    **{"step": 1e-3, "batch": 256, "samples": 0, "label_noise": 0.0, "seeds": 1, "seed": 0},
    **{"betas": None, "epsilon": None, "damping": None, "decoupled": None},
    **{"optimizer": "sgd", "momentum": None, "dtype": "float32", "records": 200, "log_times": False},
    **{"test_samples": 0, "device": "cpu", "schedule": "constant", "gradients": None},
}
SOLVER = "--method RK45 --rtol 1e-8 --atol 1e-11 --max-evaluations 12345"
SOLVED = {"method": "RK45", "rtol": 1e-8, "atol": 1e-11, "max_evaluations": 12345}
GRADIENT_FLOW = "dynamics.flows.gradient:GradientFlow.integrate"


class Call:
    """A command with options, the function that it calls, as MODULE:NAME, and some of what it must be given.

    All positional arguments stand here, `ANYTHING` for those that are not looked at; of the named ones, some.
    """

    def __init__(self, arguments: str, target: str, *positional: Any, **named: Any) -> None:
        self.arguments, self.target, self.positional, self.named = arguments, target, positional, named

    def check(self, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Compare what was received."""
        assert named.get("progress", True) is True  # whoever waits at a terminal sees how far it is
        assert len(positional) == len(self.positional)
        for given, wanted in zip(positional, self.positional, strict=True):
            assert wanted is ANYTHING or wanted == given
        received = {name: named.get(name, "absent") for name in self.named}
        assert received == self.named


ANYTHING = object()


class Start:
    """Equal to a problem, or the problem of a flow, with the same teacher and the same initial weights."""

    def __init__(self, hidden=2, scale=0.3, seed=5, inputs=3, eigenvalues=(2, 1), activation=None, **options):
        self.activation = activation
        self.student = Student.initialise(hidden, inputs, scale=scale, seed=seed, **options)
        self.teacher = Teacher.from_eigenvalues(eigenvalues, inputs)

    def __eq__(self, other):
        problem = getattr(other, "problem", other)
        return (
            isinstance(problem, Problem)
            and self.activation in (None, problem.activation.name)
            and problem.teacher.matrix().tolist() == self.teacher.matrix().tolist()
            and problem.student.W.tolist() == self.student.W.tolist()
            and problem.student.A.tolist() == self.student.A.tolist()
            and problem.student.trainable == self.student.trainable
        )

    __hash__ = None


class Own:
    """Equal to a problem, or that of a flow, of a network of one's own with this network, target and start."""

    def __init__(self, network, target, scale=0.3, seed=5, **more):
        self.problem = NetworkProblem(network, target, init_scale=scale, seed=seed, **more)

    def __eq__(self, other):
        mine, theirs = self.problem, getattr(other, "problem", other)
        return (
            theirs.network.spec == mine.network.spec
            and theirs.network.inputs == mine.network.inputs
            and theirs.target.spec == mine.target.spec
            and theirs.theta0.tolist() == mine.theta0.tolist()
            and theirs.weight_decay == mine.weight_decay
            and theirs.expectation == mine.expectation
        )

    __hash__ = None


class OnSphere:
    """Equal to a problem of teacher 2, 1, or the problem of a flow, with units of norm 1 and one fixed weight."""

    def __init__(self, inputs=3, hidden=2, a=1.0):
        self.shape, self.a = (hidden, inputs), a

    def __eq__(self, other):
        problem = getattr(other, "problem", other)
        norms = np.linalg.norm(problem.student.W, axis=1)
        return (
            problem.constraint.name == "sphere"
            and problem.student.W.shape == self.shape
            and np.allclose(norms, 1, 1e-12, 0)
            and (self.a == problem.student.A).all()
            and not problem.student.trainable
            and problem.teacher.eigen[0][0].tolist() == [2, 1]
        )

    __hash__ = None


class Spec:
    """Equal to a network of one's own of this text."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return other.spec == self.text

    __hash__ = None


class OneUnit:
    """Equal to a problem in which one quadratic unit of fixed weight 1 learns the eigenvalue λ in d dimensions."""

    def __init__(self, inputs, eigenvalue):
        self.matrix = np.diag([eigenvalue, *np.zeros(inputs - 1)]).tolist()

    def __eq__(self, other):
        return (
            other.teacher.matrix().tolist() == self.matrix
            and other.student.A.tolist() == [[1.0]]
            and not other.student.trainable
            and other.activation.name == "quadratic"
        )

    __hash__ = None


class Spectrum:
    """Equal to a law of this name, mean and second moment."""

    def __init__(self, name, mean, second):
        self.name, self.moments = name, (mean, second)

    def __eq__(self, other):
        return other.name == self.name and np.allclose((other.mean, other.second), self.moments, rtol=1e-12)

    __hash__ = None


class Chosen:
    """Equal to a study with these settings."""

    def __init__(self, name, **settings):
        self.name, self.settings = name, settings

    def __eq__(self, other):
        return (other.name, vars(other.settings)) == (self.name, self.settings)

    __hash__ = None


class Close:
    """Equal to numbers that are the same up to rounding."""

    def __init__(self, values):
        self.values = values

    def __eq__(self, other):
        return np.shape(other) == np.shape(self.values) and np.allclose(other, self.values, 1e-12, 0)

    __hash__ = None


def places(target):
    """Where a function or class is found: in its module, and in the packages that export it; a method in its class."""
    module, _, name = target.partition(":")
    owner = import_module(module)
    if "." in name:
        class_, _, method = name.partition(".")
        return [(getattr(owner, class_), method)]
    packages = [
        m for n, m in [*sys.modules.items()] if n.partition(".")[0] in FLOORS and hasattr(m, "__path__")
    ]
    exporting = [package for package in packages if getattr(package, name, None) is getattr(owner, name)]
    return [(place, name) for place in (owner, *exporting)]


def restore(fake, original):
    """Put a function back where modules that were first imported in the meantime have found its replacement."""
    for name, module in [*sys.modules.items()]:
        if name.partition(".")[0] in FLOORS:
            for attribute, value in [*vars(module).items()]:
                if value is fake:
                    setattr(module, attribute, original)
