"""Studies whose trainings are made up, so that all that is found of them can be computed by hand."""

from dataclasses import dataclass

from dynamics.curves.variables import Variable
from empirical.studies.study import KIND, Settings, Study
from empirical.sweep.dataset import assemble
from empirical.sweep.store import Piece


@dataclass(frozen=True)
class Named:
    """A contender that is only a name."""

    label: str
    family: str = "one"
    unit: float = 1.0


def made_up_study(contenders, rates, seeds, pairs=(), along="rate", **settings):
    """A study of some contenders, given as names or as `Named`."""
    named = tuple(c if isinstance(c, Named) else Named(c, c) for c in contenders)
    given = {"data": "digits", "seeds": seeds} | settings
    return Study("gsgd", "A study", Settings(**given), named, tuple(pairs), tuple(rates), along)


def made_up_dataset(study, numbers):
    """The file of a study; numbers(label, rate, replicate) → {name: value}, or a text why it could not be trained."""
    plan = study.plan()
    places, pieces = {}, []
    for run in plan.runs():
        label, rate = run.options["model"], run.options["rate"]
        r = places[label, rate] = places.get((label, rate), -1) + 1
        found = numbers(label, rate, r)
        if isinstance(found, str):
            pieces.append(Piece(run.index, {}, found, {}))
            continue
        values = {"parameters": 7.0, "steps": 10.0, "failed": 0.0, "collapsed": 0.0} | found
        pieces.append(
            Piece(
                run.index,
                {
                    name: v if isinstance(v, Variable) else Variable((), float(v))
                    for name, v in values.items()
                },
                "",
                {},
            )
        )
    assert plan.kinds[0] == KIND
    return assemble(plan, pieces)


def scored(validation, test, score="accuracy", **more):
    """What one training found."""
    return {f"validation_{score}": validation, f"test_{score}": test, **more}


def failed(score="accuracy"):
    """What one training found that diverged."""
    return scored(float("nan"), float("nan"), score, failed=1.0, collapsed=1.0)
