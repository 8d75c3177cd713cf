"""What figures show of a sweep: one number per run, over two varied options as a map or over one as curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.errors import DIVERGED, ProblemError
from dynamics.validation import validate_real
from empirical.sweep.fits import PowerLaw, fitted, power_laws

if TYPE_CHECKING:
    from xarray import DataArray, Dataset


QUANTILES = (0.1, 0.9)
AT_LEVEL = 1e-9  # relative: a loss is at a level if it is above it by no more than that
HUGE = 1e300  # stands for "never" among times
RISEN = 2.0  # of the initial loss: a run that ends above has diverged, noise about a plateau does not
POOLED = ("replicate", "network")  # dimensions over which statistics are taken


@dataclass(frozen=True, eq=False)
class SweepMap:
    """A quantity over two varied options.

    Parameters
    ----------
    x_name, y_name : str
    x, y : (n,), (m,) arrays
        Numbers or text.
    values : (m, n) array
        Median over the replicates, or the fraction where `fraction`; NaN where no run has the quantity, and where half
        of them or more diverged.
    label : str
        What the values are.
    fraction : bool
    diverged : (m, n) boolean array, optional
        Where half of the runs or more diverged, see `diverged`; None of what has no loss, and of fractions.
    command : str
        Command line that made the sweep; empty if its file does not say.
    """

    x_name: str
    y_name: str
    x: NDArray[Any]
    y: NDArray[Any]
    values: Array
    label: str
    fraction: bool
    diverged: NDArray[np.bool_] | None = None
    command: str = ""


@dataclass(frozen=True, eq=False)
class SweepCurves:
    """A quantity over one varied option, a curve for every value of another.

    Parameters
    ----------
    x_name : str
    x : (n,) array
        Numbers or text.
    curve_name : str
        Empty if there is one curve.
    curves : (m,) array
        Values of the option that tells the curves apart.
    median, low, high : (m, n) arrays
        Median, 10 % and 90 % quantile over the replicates; of a fraction, the fraction three times. The median is NaN
        where no run has the quantity, and where half of them or more diverged or never reached the loss.
    label : str
    fraction : bool
    fits : tuple of PowerLaw
        One for each curve if asked for, else empty; None of a curve with fewer than three points.
    left_out : str
        How many points are not drawn and why; empty if all are.
    command : str
        As of a map.
    """

    x_name: str
    x: NDArray[Any]
    curve_name: str
    curves: NDArray[Any]
    median: Array
    low: Array
    high: Array
    label: str
    fraction: bool
    fits: tuple[PowerLaw | None, ...] = ()
    left_out: str = ""
    command: str = ""


def quantity(dataset: Dataset, name: str, below: float | None = None) -> tuple[DataArray, str, bool]:
    """One number per run.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of a sweep.
    name : str
        A numeric variable without times; or "KIND_success", which is whether the loss ended below `below`
        ("diagnose_success": whether the verdict is "succeeds"); or "KIND_time_to_loss", the time at which the loss
        first falls to `below`.
    below : float, optional
        That loss.

    Returns
    -------
    values : xarray.DataArray
        NaN where a run failed; a time is infinite where the loss stayed above, so that medians are not biased.
    label : str
    fraction : bool
        Whether the values are 0 or 1.
    """
    if below is not None:
        validate_real("below", below, positive=True)
    kind, _, what = name.partition("_")
    if f"{kind}_status" in dataset and what == "success":
        return _success(dataset, kind, below)
    if f"{kind}_loss" in dataset and what == "time_to_loss":
        level = _level(name, below)
        return _first_time(dataset, kind, level), f"time to loss {level:g}", False
    allowed = _allowed(dataset)
    if name not in dataset or name not in allowed:
        raise ProblemError(f"`value` is {name!r}, but must be one of: {', '.join(allowed)}.")
    values = dataset[name]
    label = str(values.attrs.get("long_name", name))
    units = values.attrs.get("units")
    return values, f"{label} ({units})" if units else label, False


def _allowed(dataset: Dataset) -> list[str]:
    """Names that `quantity` understands."""
    varied = _axes(dataset)
    plain = [
        str(name)
        for name, v in dataset.data_vars.items()
        if v.dtype.kind == "f" and set(v.dims) <= {*varied, *POOLED}
    ]
    kinds = [str(name).removesuffix("_status") for name in dataset if str(name).endswith("_status")]
    derived = [
        f"{kind}_success" for kind in kinds if f"{kind}_verdict" in dataset or f"{kind}_loss" in dataset
    ]
    return plain + derived + [f"{kind}_time_to_loss" for kind in kinds if f"{kind}_loss" in dataset]


def _axes(dataset: Dataset) -> tuple[str, ...]:
    return tuple(str(dim) for dim in dataset["run_seed"].dims if dim != "replicate")


def diverged(dataset: Dataset, kind: str) -> DataArray | None:
    """Share of 1 for each run (and network) that diverged, 0 for others, NaN for what failed for another reason.

    Training was broken off, or ended with more than twice the initial loss. None for runs without a loss.
    """
    first, last = f"{kind}_initial_loss", f"{kind}_final_loss"
    broken_off = dataset[f"{kind}_reason"].str.startswith(DIVERGED)
    if first not in dataset or last not in dataset:
        return broken_off.astype(float) if broken_off.any() else None
    risen = dataset[last] > RISEN * dataset[first]
    return (risen | broken_off).astype(float).where(dataset[last].notnull() | broken_off)


def _level(name: str, below: float | None) -> float:
    if below is None:
        raise ProblemError(f"`value` is {name!r}, which needs a loss: give `below`.")
    return below


def _success(dataset: Dataset, kind: str, below: float | None) -> tuple[DataArray, str, bool]:
    if f"{kind}_verdict" in dataset:
        verdict = dataset[f"{kind}_verdict"]
        return (verdict == "succeeds").where(verdict != ""), "fraction diagnosed to succeed", True
    if f"{kind}_final_loss" not in dataset:
        raise ProblemError(f"No run of {kind!r} in this sweep was done: there is nothing to draw.")
    level = _level(f"{kind}_success", below)
    final = dataset[f"{kind}_final_loss"]
    return (final < level).where(final.notnull()), f"fraction that ends below loss {level:g}", True


def _first_time(dataset: Dataset, kind: str, level: float) -> DataArray:
    """Time at which the loss first falls to the level, linear between samples; infinite if it never does.

    A run that `--until-loss` stopped ends at the level itself, up to rounding: that counts.
    """
    loss = dataset[f"{kind}_loss"]
    axis = f"{kind}_time" if f"{kind}_time" in loss.dims else f"{kind}_sample"
    times = dataset[f"{kind}_time"].broadcast_like(loss).transpose(*loss.dims)
    y, t = (a.transpose(..., axis).values for a in (loss, times))
    reached = y <= level * (1 + AT_LEVEL)
    after = reached.argmax(axis=-1)[..., None]
    before = np.maximum(after - 1, 0)
    y0, y1, t0, t1 = (np.take_along_axis(a, i, -1)[..., 0] for a in (y, t) for i in (before, after))
    share = np.divide(y0 - level, y0 - y1, out=np.ones_like(y0), where=y0 > y1)
    never = np.where(np.isnan(y[..., 0]), np.nan, np.inf)
    first = np.where(reached.any(axis=-1), t0 + share * (t1 - t0), never)
    return loss.isel({axis: 0}, drop=True).copy(data=first)


def select(dataset: Dataset, chosen: Mapping[str, Any], kept: tuple[str, ...]) -> Dataset:
    """The part of a sweep at the chosen values; every option but the kept ones must be chosen."""
    axes = _axes(dataset)
    for name in (*chosen, *kept):
        if name not in axes:
            raise ProblemError(f"{name!r} was not varied in this sweep: {', '.join(axes) or 'nothing was'}.")
    for name, value in chosen.items():
        values = dataset[name].values
        found = [v for v in values if str(v) == str(value) or _equal(v, value)]
        if not found:
            raise ProblemError(
                f"`select` is {name}={value}, but the sweep has: {', '.join(map(str, values))}."
            )
        dataset = dataset.sel({name: found[0]})
    for name in axes:
        if name not in kept and name not in chosen:
            if dataset.sizes[name] > 1:
                raise ProblemError(f"{name!r} was varied too: draw one value of it with `select`.")
            dataset = dataset.isel({name: 0})
    return dataset


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(np.isclose(float(a), float(b), rtol=1e-6, atol=0))
    except ValueError:
        return False


def sweep_map(
    dataset: Dataset,
    x: str,
    y: str,
    value: str,
    *,
    below: float | None = None,
    chosen: Mapping[str, Any] | None = None,
) -> SweepMap:
    """A quantity (see `quantity`) over the varied options x and y."""
    if x == y:
        raise ProblemError(f"`x` and `y` are both {x!r}, but must be different.")
    part = select(dataset, chosen or {}, (x, y))
    values, label, fraction = quantity(part, value, below)
    columns, rows = (_ascending(part[name].values) for name in (x, y))
    cells = np.ix_(rows, columns)
    lost = None if fraction else diverged(part, value.partition("_")[0])
    most = None
    if lost is not None:
        most = (_statistics(lost, (y, x), True)[0] >= 0.5)[cells]
        values = values.where(lost != 1, np.inf)  # later, and higher, than all others
    table = _statistics(values, (y, x), fraction)[0][cells]
    if most is not None:
        table[most] = np.nan
    return SweepMap(
        x, y, part[x].values[columns], part[y].values[rows], table, label, fraction, most, _command(dataset)
    )


def sweep_curves(
    dataset: Dataset,
    x: str,
    value: str,
    *,
    curves: str | None = None,
    below: float | None = None,
    chosen: Mapping[str, Any] | None = None,
    fit: bool = False,
) -> SweepCurves:
    """A quantity (see `quantity`) over the varied option x, one curve for every value of the option `curves`.

    A power law is fitted through the points that are drawn, on logarithmic axes: those where most runs neither diverged
    nor failed to reach the loss, and where x and the median are positive.

    Raises
    ------
    ProblemError
        If the file does not hold what is asked for, or no curve has three points for a power law.
    """
    kept = (x,) if curves is None else (curves, x)
    if curves == x:
        raise ProblemError(f"`x` and `curves` are both {x!r}, but must be different.")
    part = select(dataset, chosen or {}, kept)
    values, label, fraction = quantity(part, value, below)
    positions = part[x].values
    numeric = positions.dtype.kind in "if"
    if fit and not numeric:
        raise ProblemError(f"`x` is {x!r}, whose values are no numbers, so that no power law can be fitted.")
    lost = None if fraction else diverged(part, value.partition("_")[0])
    if lost is not None:
        values = values.where(lost != 1, np.inf)  # later, and higher, than all others
    order = _ascending(positions)
    median, low, high = (np.atleast_2d(table)[:, order] for table in _statistics(values, kept, fraction))
    gone = np.zeros(median.shape, dtype=bool)
    if lost is not None:
        gone = np.atleast_2d(_statistics(lost, kept, True)[0] >= 0.5)[:, order]
    positions = positions[order].astype(float) if numeric else positions
    endless = np.atleast_2d(_statistics((values == np.inf).astype(float), kept, True)[0] > 0)
    missing = np.isnan(median) & ~gone
    why = {
        "diverged": gone,
        f"never reached loss {below:g}" if below is not None else "": missing & endless[:, order],
        "without a value": missing & ~endless[:, order],
    }
    fits: tuple[PowerLaw | None, ...] = ()
    if fit:
        why["not positive"] = np.isfinite(median) & ~fitted(positions, median)
        fits = power_laws(positions, median)
    names = np.array([""]) if curves is None else part[curves].values
    return SweepCurves(
        x,
        positions,
        curves or "",
        names,
        median,
        low,
        high,
        label,
        fraction,
        fits,
        _counts(why, median.size),
        _command(dataset),
    )


def _counts(why: Mapping[str, NDArray[np.bool_]], total: int) -> str:
    """How many points are not drawn for each reason; empty if all are drawn."""
    counts = [f"{points.sum()} {reason}" for reason, points in why.items() if points.any()]
    return f"not drawn of {total} points: {', '.join(counts)}" if counts else ""


def _command(dataset: Dataset) -> str:
    """The command line that made it, in characters that can be printed."""
    return "".join(c if c.isprintable() else "?" for c in str(dataset.attrs.get("command", "")))


def _ascending(values: NDArray[Any]) -> NDArray[np.int64]:
    """Order of increasing numbers; text stays as it is."""
    return np.argsort(values) if values.dtype.kind in "if" else np.arange(len(values))


def _statistics(values: DataArray, kept: tuple[str, ...], fraction: bool) -> tuple[Array, Array, Array]:
    """Median and quantiles over replicates and networks (or three times the fraction), NaN where there is nothing."""
    stacked = values.astype(float).stack(sample=[dim for dim in values.dims if dim in POOLED])
    samples = stacked.transpose(*kept, "sample").values
    known = ~np.isnan(samples).all(axis=-1)
    found = np.full((3, *known.shape), np.nan)
    some = samples[known]
    if fraction:
        found[:, known] = np.nanmean(some, axis=-1)
    else:
        # NumPy makes NaN of a quantile beside an infinite sample; a huge one it takes for what it is.
        finite = np.where(np.isinf(some), HUGE, some)
        found[:, known] = np.nanquantile(finite, [0.5, *QUANTILES], axis=-1)
        found[found > 1e-6 * HUGE] = np.nan
    return found[0], found[1], found[2]
