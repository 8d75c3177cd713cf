"""Values of an option or argument: sensible ones, and ones that nobody should give but somebody will."""

from __future__ import annotations

import click

FOLDER = "written"  # the only place where a call may write
OUTPUTS = {
    "figure": f"{FOLDER}/figure.svg",
    "report": f"{FOLDER}/report.html",
    "explore": f"{FOLDER}/explorer.html",
    "sweep": f"{FOLDER}/sweep.nc",
    "study": f"{FOLDER}/study.nc",
}
NO_NUMBERS = [
    "",
    " ",
    "nan",
    "NaN",
    "x",
    "1,2",
    "0x10",
    "1_0",
    "٣",
    "½",
    "--",
    "1e",
    "None",
    "True",
    "\x00",
    "-",
]
WHOLE = ["-1", "0", "1", "2", "3", str(-(2**63)), str(2**63), str(2**64), str(10**30), "9" * 5000]
HUGE = [*WHOLE, str(2**31), str(2**62)]
SIZES = [*HUGE, "100000"]
SENSIBLE = ["0.01", "0.1", "0.5", "1"]
HOSTILE = ["0", "-0.0", "1e-320", "1e-30", "1e-9", "2", "-1", "1e9", "1e30", "1e308", "-1e308", "inf", "-inf"]
TEXT = [
    "",
    " ",
    "x",
    "Σ→∞",
    "\x00",
    "a\nb",
    "🦆" * 30,
    "\ud800",
    "../..",
    "-",
    "%s%n",
    "<b>",
    "a" * 300,
    "{0}",
    "'\"",
]
CODE = "__import__('os').system('touch EXECUTED')"

# Work that is asked for: a large value is a long computation, not a fault. Huge ones must still be refused.
WORK = {
    "steps",
    "samples",
    "records",
    "starts",
    "test_samples",
    "replicates",
    "search",
    "lowest",
    "count",
    "trained_modes",
}
SMALL_SIZES = {"inputs", "hidden", "outputs", "width", "batch"}
LONG_SIZES = {"layers", "points", "seeds"}  # one after the other: 100,000 take their time
# Times are integrated to; without a limit of evaluations a long one is a long computation.
TIMES = ["0.1", "1"], ["0", "-1", "1e-300", "inf", "-inf"]

# name of a parameter → sensible and other values, separated by |
WORDS = {
    "activation": ("quadratic|centred|linear|relu|abs", "tanh|Quadratic|quadratic,relu"),
    "second_layer": ("trainable|fixed", "frozen|1"),
    "loss": (
        "square|log-cosh|huber:0.5|logistic",
        "huber|huber:|huber:-1|huber:nan|huber:1e300|Logistic|hinge|:",
    ),
    "labels": ("bernoulli|hard|hard:0.3|exact|data", "hard:|hard:x|hard:inf|soft|hard:1e300|:"),
    "bias": ("0|0.4|trainable|trainable:0.4", "x|inf|nan|trainable:|trainable:x|1e300|:|0.4:1"),
    "init": ("gaussian|balanced|aligned|random|relinear", "zero|1"),
    "optimizer": (
        "sgd|momentum|nesterov|adam|adamw|rmsprop|normalised|sign|muon|natural|gsgd",
        "lion|SGD",
    ),
    "betas": ("0.9,0.99|0.9", "0.9,0.9,0.9|1,1|-1|nan,0|,|0.9;0.9|1e-300,0.5"),
    "schedule": (
        "constant|cosine|warmup-cosine:0.3|step:0.5:0.5|wsd|linear|inverse-time",
        "cosin|cosine:2|wsd:x|step:::|constant:1|inverse-time:0|:|good.npy|good.csv|missing.npy",
    ),
    "schedules": ("cosine|linear,wsd:0.5|step,step", "cosin|,|linear,|wsd:2|good.npy|linear,linear:0.5"),
    "device": ("cpu", "cuda|meta|mps|cpu:7|cuda:99999|xla|CPU"),
    "gradients": ("fused|autograd", "none|Fused|fused,autograd|1"),
    "dtype": ("float32|float64", "float16|complex64|int|double"),
    "correction": ("none|modified", "modifie|2"),
    "gap": ("theory|flow|none", "flows|0"),
    "method": (
        "auto|RK45|Tsit5|DOP853|DOP853/BDF|BDF-CG|LSODA|Radau|BDF|RK23",
        "Taylor|Tsit5-numba|DOP853-numba|Euler|odeint",
    ),
    "format": ("text|latex|json|python|javascript|tensor|matrix", "html|TEXT"),
    "model": ("quadratic|linear|relu|abs|bilinear", "cubic|1"),
    "command": (
        "simulate|train|sweep|figure staircase|diagnose",
        "figure|init|run|nope|figure nope|figure  staircase",
    ),
    "activations": ("quadratic,relu|abs|quadratic", "quadratic,|,|tanh|abs,abs"),
    "kinds": ("simulate|diagnose|staircase|train|compare", "figure|all|simulate,train"),
    "value": ("loss|simulate.loss|final_loss", "x|loss loss"),
    "signs": ("+,-|+,+", "+|-,-,-|1,-1|±"),
    "representative": ("0|1|0,1", "7|-1|0,0|0,1,2,3|0.5|" + str(2**64)),
    "second_layer_values": ("1,1|1,-1|0.5,2", "1|0,0|1,1,1,1|1e308,1|nan,1"),
    "times": ("0,1|0.5,1|0", "1,0.5|0,0|-1|0,nan|0,inf|0,1e308"),
    "rates": ("1,0.1,0.1|1,0,0", "1,1|0,0,0|1e308,1,1|-1,1,1|nan,1,1"),
    "alpha": ("0.5|0.2,0.6|0.1:0.9:3", "0|-1|nan|0:1:3|1:2|0.1:1:1000000000|1e300|:|0.1:x:3"),
    "alphas": ("0.6|0.4,0.6", "0|-1|nan|1e300|,"),
    "clean_alphas": ("none|0.4", "0|-1|nan|,|None"),
    "decays": ("0.5|0.2,0.5", "-1|nan|1e300|,"),
    "gammas": ("1,0|1", "-1|1e308"),
    "factors": ("0.9,1.1|1", "0|-1|1e308"),
    "exponents": ("0.75,1|1", "0|-1|1e308"),
    "teacher_linear": ("1,0.5|0,0", "1|1,1,1,1,1|1e308,1"),
    "start": ("0.1,0.1|1,-1", "0,0|1|1,2,3|1e308,1"),
    "vary": (
        "init-scale=0.1,0.2|hidden=1:3:3|seed=0,1|second-layer=trainable,fixed",
        "step=0.1:1:2:log|hidden=1:2:1000000000|x=1|init-scale=|=|json=1|output=a,b|init-scale=nan|hidden=1.5|teacher=2,1",
    ),
    "network": (
        "x_0*a|(a*x_0+b*x_1)**2|a*x_0**2|deep-linear:1,1,1|linear:2,2 >> square >> linear:2,1|attention:2,1,1"
        "|bilinear:2,1,1",
        "deep-linear:|deep-linear:99999999,9|deep-quadratic:1,1,1,1,1,1,1|attention:9,9,9|linear:2,2 >>|>>|square"
        "|linear:1,1 >> power:17 >> linear:1,1|bilinear:2|a*x_9999999|x_0|1|9**9**9**9*x_0|"
        + "(" * 300
        + "x_0"
        + ")" * 300
        + f"|{CODE}|x_0.real|a**b|a**-1|a/0*x_0|lambda: x_0|a*x_0"
        + "+a*x_0" * 3000,
    ),
    "expectation": ("grid|samples:64", "samples|samples:0|samples:99999999999999|grid:1|samples:nan"),
    "distribution": (
        "sphere|student-t:9|uniform|rademacher|independent:0.5|mixture:clusters.npz",
        "student-t:4|student-t:nan|student-t|independent:-3|independent:1e308|uniform:1|normal|mixture:|mixture:good.npz"
        "|mixture:missing.npz|mixture:heavy.npz|mixture:collapsed.npz|mixture:great.npz|mixture:folder.npy",
    ),
    "target": ("y|0|-1", "z|7|-9|y,y|0,1|1.5"),
    "classes": ("0,1|0,2", "0|0,0|0,1,2|x,y|nan,1|1e400,0"),
    "split": ("0.2|0.5|0", "1|-0.1|nan|1e-300|0.999"),
    "components": ("1|2", "0|-1|3|1000|" + str(2**63)),
    "name": ("gsgd|relinear|hannet|recovery|product-laws", "study|gsgd,hannet|" + CODE),
    "result": ("recovery|bayes-threshold", "product-laws|recovry|" + CODE),
    "select": ("seed=0|init-scale=0.1", "x|=|a=b"),
}
TEACHERS = ["2,1", "1", "2,-1", "3,2,1", "1,1", "power-law:1:3"]
STRANGE_TEACHERS = [
    "marchenko-pastur:0.5",
    "marchenko-pastur:",
    "marchenko-pastur:nan",
    "0,0",
    "0",
    "1e-300",
    "1e200,1",
    "power-law:1:1000000000000",
    "power-law:nan:3",
    "power-law:1",
]
STRANGE_TEACHERS += ["1e308,1e308", "2," * 5 + "1", "-1e-320", "1e9,1e-9", "power-law:-1:3", CODE]
DATA_SETS = ["iris", "wine", "diabetes", "samples.npz", "table.csv", "good.npy"]
STRANGE_DATA = [
    "digitz",
    "good.npy,missing.npy",
    "good.npy,good.npy",
    "missing.parquet",
    ",",
    ".npy,",
    "folder.npy",
    CODE,
]
NUMBERS_LIST = ["nan", "inf,1", ",", "1,,2", "1e400", "-1e308"]
SPECS = {"teacher": (TEACHERS, STRANGE_TEACHERS), "data": (DATA_SETS, STRANGE_DATA)}  # names beside the files
PATHS = {
    "teacher": (".npy", ".npz", ".csv"),
    "covariance": (".npy", ".csv"),
    "data": (".npy", ".npz", ".csv", ".parquet"),
    "init_file": (".npz", ".pt"),
    "init_order": (".npz",),
    "init_form": (".npy", ".csv"),
    "infer": (".npz", ".npy", ".json"),
    "runs": (".json", ".npz", ".nc", ".zarr", ".toml"),
    "config": (".toml",),
}
GOOD = {
    "good.npy",
    "identity.npy",
    "good.csv",
    "good.npz",
    "start.npz",
    "teacher.npz",
    "record.npz",
    "good.pt",
    "layers.pt",
}
GOOD |= {"plain.toml", "run.json", "result.json", "curve.npz", "trained.npz", "good.nc"}
NAMED = "simulate"  # the command of good.toml; others refuse it
MISSING = ["missing.npy", "missing.npz", "missing.toml", "no/folder.json"]
WRITTEN = [
    f"{FOLDER}/a{suffix}"
    for suffix in (".json", ".npz", ".svg", ".png", ".tex", ".py", ".nc", ".html", ".txt", ".toml")
]
DIFFICULT = [
    f"{FOLDER}/A.JSON",
    f"{FOLDER}/a",
    f"{FOLDER}/a.exe",
    FOLDER,
    f"{FOLDER}/no/a.json",
    "/dev/full",
    "/dev/full/a.json",
]
DIFFICULT += [
    f"{FOLDER}/{'a' * 260}.json",
    f"{FOLDER}/a\x00.json",
    f"{FOLDER}/Σ.json",
    "",
    "-",
    f"{FOLDER}/\ud800.json",
]


def called(parameter: click.Parameter) -> str:
    """The name that people give: of an option, without dashes; of an argument, its own."""
    return max(parameter.opts, key=len).strip("-").replace("-", "_")


def values(command: str, parameter: click.Parameter, files: list[str]) -> tuple[list[str], list[str]]:
    """Texts for an option or an argument: sensible ones, and others."""
    name = called(parameter)
    if name in ("output", "report") or (command == "init" and name == "file"):
        return [text for text in WRITTEN if text.endswith(_suffixes(command))], DIFFICULT
    if name == "file":
        good = ["good.toml"] if command == "run" else [f for f in _of(files, ".nc", ".zarr") if f in GOOD]
        return good, [*_of(files, ".toml", ".nc", ".zarr"), *TEXT]
    if name in PATHS:
        suitable = _of(files, *PATHS[name])
        named, strange = SPECS.get(name, ([], MISSING))
        good = [*named, *(f for f in suitable if f in GOOD)]
        if name == "config" and command == NAMED:
            good.append("good.toml")
        return good, [*strange, *suitable, *suitable, *files[::5], *TEXT]
    if isinstance(parameter.type, click.Choice):
        return [*parameter.type.choices], TEXT
    if name in WORDS:
        good, bad = (text.split("|") for text in WORDS[name])
        return good, [*bad, *bad, *TEXT, *NUMBERS_LIST]
    if isinstance(parameter.type, type(click.INT)):
        return ["1", "2", "3", "4"], [*_whole(name) * 2, *NO_NUMBERS]
    if isinstance(parameter.type, type(click.FLOAT)):
        good, bad = TIMES if name == "t_end" else (SENSIBLE, HOSTILE)
        if name == "step":  # so many steps up to a time are work
            bad = [text for text in bad if text != "1e-9"]
        return good, [*bad, *NO_NUMBERS]
    return ["1", "1,2", "0.1"], [*TEXT, *NUMBERS_LIST, CODE]


def _suffixes(command: str) -> tuple[str, ...]:
    """Of the file that a command writes; of some commands only most of them fit."""
    first = command.split()[0]
    known = {"figure": (".svg", ".png"), "report": (".html",), "explore": (".html",), "init": (".toml",)}
    return known.get(first, (".json", ".npz", ".nc", ".tex", ".py", ".txt"))


def _whole(name: str) -> list[str]:
    if name in WORK:
        return ["0", "-1", str(2**63), str(10**30)]
    if name == "workers":
        return ["0", "-1", str(2**63)]
    if name in LONG_SIZES:
        return HUGE
    return SIZES if name in SMALL_SIZES else WHOLE


def _of(files: list[str], *suffixes: str) -> list[str]:
    return [name for name in files if name.endswith(suffixes)]
