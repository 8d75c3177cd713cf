"""Files of the explorer: trained networks over its curves, and what it exports."""

import base64
import io
import json
import time
import zipfile

import matplotlib.image
import numpy as np
import pytest

pytest.importorskip("selenium", reason="Selenium is not installed")
pytest.importorskip("plotly", reason="plotly is not installed")

from selenium.webdriver.support.ui import WebDriverWait

from dynamics import GradientFlow, Problem, Student, Teacher
from quadflow.cli import run

TRAIN = "train --teacher 1,4,-2 --hidden 4 --steps 400 --step 2e-3 --records 31 --seeds 3 --init-scale 0.6 --seed 1"
OTHER = "compare --teacher 3,1 --hidden 2 --steps 40 --records 5 --seeds 2 --init-scale 0.3"


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Three networks, as the .npz file and as the JSON of `quadflow train`."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        printed = io.StringIO()
        patch.setattr("sys.stdout", printed)
        assert run([*TRAIN.split(), "--json", "--output", str(folder / "train.npz")]) == 0
    (folder / "train.json").write_text(printed.getvalue(), encoding="utf-8")
    return folder


def choose(browser, path):
    """Choose a file and wait until it is read."""
    browser.driver.find_element("id", "file").send_keys(str(path))
    settled(browser)


def settled(browser):
    browser.driver.execute_async_script("setTimeout(arguments[0], 150)")
    browser.settle()


def click(browser, element_id):
    browser.run("document.getElementById(arguments[0]).click()", element_id)
    settled(browser)


def downloaded(browser, button, path):
    """What a button saves, as a file of this name."""
    browser.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(path.parent)}
    )
    browser.run("document.getElementById(arguments[0]).click()", button)
    WebDriverWait(browser.driver, 20, 0.05).until(lambda _: path.exists())
    return path


def notice(browser):
    return browser.run("return document.getElementById('notice').textContent")


@pytest.mark.parametrize("name", ["train.npz", "train.json"])
def test_trained_networks_lie_over_the_curves(explorer, trained, name):
    """Markers are the medians of the file, each mode in the colour of the page's mode of the same eigenvalue."""
    explorer.set("eigenvalue-1", -2)
    explorer.set("t-end", -0.58)  # 10^−0.58 = 0.263: the nearest record, at 0.267, is beyond and not drawn
    choose(explorer, trained / name)
    assert notice(explorer) == f"Networks of {name}: 3 of them, 31 times each."
    file = json.loads((trained / "train.json").read_text())
    assert file["problem"]["eigenvalues"] == [4.0, 1.0, -2.0]
    overlay = explorer.run("return explorer.overlay")
    assert overlay["loss"] == pytest.approx(np.median(file["loss"], axis=0), rel=1e-12)
    assert [m["mode"] for m in overlay["modes"]] == [0, 2, 1]
    for m, shown in enumerate(overlay["modes"]):
        assert shown["values"] == pytest.approx(np.median(file["modes"], axis=0)[:, m], rel=1e-12)
    traces = explorer.run(
        "return document.getElementById('curves').data.filter((trace) => trace.mode === 'markers')"
        ".map(({ x, y, yaxis, marker }) => ({ x, y, yaxis, color: marker.color }))"
    )
    seen = np.array(file["times"]) <= 10**-0.58
    for trace, values in zip(
        traces, [overlay["loss"], *(m["values"] for m in overlay["modes"])], strict=True
    ):
        assert trace["x"] == np.array(file["times"])[seen].tolist()
        assert trace["y"] == np.array(values)[seen].tolist()
    palette = explorer.run("return STYLE.palette")
    assert [trace["color"] for trace in traces[1:]] == [palette[0], palette[2], palette[1]]
    told = explorer.run("return document.getElementById('overlay-note').textContent")
    assert told == f"Circles: median of 3 networks of {name}, whose teacher has the eigenvalues 4, 1, −2."
    click(explorer, "remove")
    assert explorer.run("return explorer.overlay") is None


def test_the_page_takes_over_the_problem_of_a_file(explorer, trained):
    """Its first network and the flow from its initial weights: apart by discretisation, of first order in the step."""
    choose(explorer, trained / "train.npz")
    click(explorer, "adopt")
    assert notice(explorer).startswith("Teacher, sizes, decay and initial weights")
    state, curve = explorer.run("return [explorer.state, explorer.curve]")
    with np.load(trained / "train.npz") as file:
        times, loss, W, A = (file[name] for name in ("times", "loss", "W", "A"))
    assert (state["hidden"], state["inputs"], state["eigenvalues"][:3]) == (4, 3, [4, 1, -2])
    assert state["tEnd"] == times[-1]
    # --teacher 1,4,-2 stands along the axes, the file lists its modes as 4, 1, −2
    assert state["W"] == W[0, 0][:, [1, 0, 2]].tolist()
    assert state["a"] == A[0, 0, 0].tolist()
    found = np.interp(times, curve["times"], curve["loss"])
    assert found[0] == pytest.approx(loss[0, 0], rel=1e-6)
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([4, 1, -2]), Student(state["W"], state["a"])))
    np.testing.assert_allclose(found, flow.integrate(times=times).loss, rtol=1e-3)
    assert 1e-4 < np.abs(found - loss[0]).max() / loss[0, 0] < 0.1
    assert np.ptp(loss[0]) > 0.3 * loss[0, 0]


def test_a_comparison_with_another_teacher(explorer, tmp_path, capsys):
    """Its networks are drawn, modes that the page has not in grey; the page takes its teacher, not its weights."""
    assert run([*OTHER.split(), "--json"]) == 0
    (tmp_path / "c.json").write_text(capsys.readouterr().out, encoding="utf-8")
    choose(explorer, tmp_path / "c.json")
    assert [m["mode"] for m in explorer.run("return explorer.overlay.modes")] == [None, 2]
    click(explorer, "adopt")
    assert "does not say its initial weights" in notice(explorer)
    assert explorer.run("return [explorer.state.eigenvalues.slice(0, 2), explorer.state.inputs]") == [
        [3, 1],
        2,
    ]
    assert [m["mode"] for m in explorer.run("return explorer.overlay.modes")] == [0, 1]


def test_a_file_may_be_dropped(explorer, trained):
    """A drop on the page, as a file manager sends it."""
    explorer.run(
        "const data = new DataTransfer();"
        "data.items.add(new File([arguments[0]], 'dropped <b>.json'));"
        "document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));",
        (trained / "train.json").read_text(),
    )
    settled(explorer)
    assert notice(explorer) == "Networks of dropped <b>.json: 3 of them, 31 times each."
    assert explorer.run("return document.querySelectorAll('#notice b, #overlay-note b').length") == 0


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
def test_arrays_are_read_as_numpy_reads_them(explorer, compressed, dtype, rng):
    """Stored and deflated, float32 and float64, texts and integers, of 0 to 3 axes, to the last bit."""
    arrays = {
        "x": rng.standard_normal((2, 3, 4)).astype(dtype),
        "flat": rng.standard_normal(300).astype(dtype),
        "one": np.array(0.1, dtype),
        "whole": np.arange(-2, 3),
        "text": np.array("η → ∞, 𝔼"),
        "none": np.empty((0, 3), dtype),
        "rows of nothing": np.empty((3, 0), dtype),
    }
    packed = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(packed, **arrays)
    found = explorer.driver.execute_async_script(
        "const [data, names, done] = arguments;"
        "const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));"
        "readNpz(bytes.buffer, names).then(done, (error) => done(String(error)));",
        base64.b64encode(packed.getvalue()).decode(),
        [*arrays, "missing"],
    )
    assert found == {name: array.tolist() for name, array in arrays.items()}


def archive(**arrays):
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    return packed.getvalue()


def made(about="quadflow training run 2", **change):
    """The smallest archive that is read, with changes."""
    arrays = {
        "about": np.array(json.dumps({"format": about})),
        "times": np.array([0.0, 1.0]),
        "loss": np.array([[2.0, 1.0]]),
        "modes": np.array([[[0.0], [1.0]]]),
    }
    return archive(**(arrays | change))


def header(shape, entries=0):
    """An archive whose times say to be of another shape than they are: so many zeros."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    array = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(8 * entries)
    with zipfile.ZipFile(io.BytesIO(made())) as file:
        others = {name: file.read(name) for name in file.namelist() if name != "times.npy"}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in {**others, "times.npy": array}.items():
            file.writestr(name, content)
    return packed.getvalue()


def bomb():
    """An entry that unpacks to more than it says."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("about.npy", b"\0" * 10**6)
    return packed.getvalue().replace((10**6).to_bytes(4, "little"), (100).to_bytes(4, "little"))


RESULT = {"format": "quadflow result 2", "times": [0.0, 1.0], "loss": [2.0, 1.0], "modes": [[0.0], [1.0]]}
REFUSED = {  # content → what the sentence says
    "a list.json": (b"[1, 2]", "it holds no JSON object."),
    "null.json": (b"null", "it holds no JSON object."),
    "text.npz": (b"no arrays", "it is neither JSON nor .npz."),
    "empty.json": (b"", "it is neither JSON nor .npz."),
    "other.json": (json.dumps({"name": "x", "times": [1]}).encode(), "it is not a result of this version"),
    "later.json": (json.dumps(RESULT | {"format": "quadflow result 3"}).encode(), "it is not a result of this"),
    "no times.json": (json.dumps(RESULT | {"times": "abc"}).encode(), "it has no list of times."),
    "short.json": (json.dumps(RESULT | {"loss": [1.0]}).encode(), "its loss has not 2 numbers for each network"),
    "texts.json": (json.dumps(RESULT | {"loss": ["a", "b"]}).encode(), "its loss has not 2 numbers"),
    "modes.json": (json.dumps(RESULT | {"modes": [[1.0], [1.0, 2.0]]}).encode(), "its modes are not 1 × 2 rows"),
    "cut.npz": (made()[:200], "it is no zip archive."),
    "garbled.npz": (made().replace(b"\x50\x4b\x01\x02", b"\x50\x4b\x09\x09"), "its list of arrays is damaged."),
    "foreign.npz": (archive(W=np.ones((2, 2))), "it was not written by train or simulate"),
    "later.npz": (made(about="quadflow training run 3"), "it was not written by train or simulate"),
    "fortran.npz": (made(loss=np.asfortranarray(np.ones((2, 2)))), "loss is in Fortran's order, but must be in C's."),
    "complex.npz": (made(times=np.array([0j, 1])), "its array times is of the type <c16, but must be of <f8,"),
    "objects.npz": (made(times=np.array([{}, None], object)), "its array times is of the type |O"),
    "records.npz": (made(times=np.zeros(2, [("x", "<f8")])), "its array times is not of numbers."),
    "shaped.npz": (made(W=np.ones((1, 2, 3)), A=np.ones((1, 2, 1, 3))), "its weights are not 2 records"),
    "method.npz": (made(about={"toString": 1}), "it was not written by train or simulate"),
    "no rows.npz": (header("(4000000000, 0)"), "its array times has more than 4194304 rows"),
    "no blocks.npz": (header("(30000000, 3, 0)"), "its array times has more than 4194304 rows"),
    "endless.npz": (header(f"({'9' * 400}, 0)"), "its array times has more than 4194304 rows"),
    "axes.npz": (header("(" + "1, " * 65 + ")", 1), "its array times has 65 axes, more than 64."),
    "thin.npz": (header("(5000000, 1)", 5_000_000), "its array times has more than 4194304 rows"),
    "short.npz": (header("(2, 2)", 3), "its array times has not the length that its shape needs."),
    "bomb.npz": (bomb(), "its array about.npy is longer than it says."),
}  # fmt: skip


def test_files_that_are_not_ours_are_refused_in_one_sentence(explorer, tmp_path):
    """Nothing is drawn, and what was drawn stays; each within seconds, whatever its headers say."""
    for name, (content, words) in REFUSED.items():
        (tmp_path / name).write_bytes(content)
        began = time.monotonic()
        choose(explorer, tmp_path / name)
        assert time.monotonic() - began < 5, name
        told = notice(explorer)
        assert told.startswith(f"The file “{name}” is not used: "), name
        assert words in told, (name, told)
        assert "\n" not in told
        assert told.endswith(".")
        assert explorer.run("return explorer.overlay") is None
    (tmp_path / "good.npz").write_bytes(made())
    choose(explorer, tmp_path / "good.npz")
    assert explorer.run("return explorer.overlay.loss") == [2, 1]
    click(explorer, "adopt")
    assert notice(explorer) == "The file “good.npz” is not used: it does not say its problem."


PROBLEM = {
    **{"inputs": 3, "hidden": 3, "outputs": 1, "activation": "quadratic", "teacher_activation": "quadratic"},
    **{"second_layer": "trainable", "distribution": "gaussian", "covariance": "identity"},
    **{"weight_decay": [0.0, 0.0], "eigenvalues": [2.0]},
}
ADOPT = """
const before = writeLink(state);
const told = [];
for (const result of arguments[0]) {
  networks = { name: "x.json", ...networksOfText(JSON.stringify(result)) };
  await adopt();
  told.push([document.getElementById("notice").textContent, writeLink(state) === before]);
}
return told;
"""
ELSEWHERE = {  # what the page has not → what the sentence says
    json.dumps(change): words
    for change, words in [
        ({"activation": "relu"}, "it is of another kind: the page knows quadratic and centred units"),
        ({"activation": {"toString": 1}}, "it is of another kind"),
        ({"covariance": "given"}, "it is of another kind"),
        ({"second_layer": "fixed"}, "it is of another kind"),
        ({"inputs": 7}, "its number of inputs is 7, but must be a whole number from 1 to 6."),
        ({"inputs": 0, "eigenvalues": []}, "its number of inputs is 0, but must"),
        ({"inputs": 1.5}, "its number of inputs is 1.5, but must"),
        ({"inputs": "2"}, "its number of inputs is “2”, but must"),
        ({"inputs": None}, "its number of inputs is null, but must"),
        ({"inputs": True}, "its number of inputs is true, but must"),
        ({"inputs": [3]}, "its number of inputs is [3], but must"),
        ({"hidden": 0}, "its number of units is 0, but must be a whole number from 1 to 6."),
        ({"hidden": -2}, "its number of units is -2, but must"),
        ({"hidden": 2.5}, "its number of units is 2.5, but must"),
        ({"hidden": "2"}, "its number of units is “2”, but must"),
        ({"hidden": 1e300}, "its number of units is 1e+300, but must"),
        ({"hidden": "2" * 5000}, "2…”, but must"),
        ({"inputs": 1, "eigenvalues": [2.0, 1.0]}, "it has 2 eigenvalues, but only 1 inputs."),
        ({"weight_decay": [0.1, 0.2]}, "its layers decay at different rates, 0.1 and 0.2."),
        ({"weight_decay": [-1, -1]}, "its rate of decay is -1, but must be a number from 0 to 1."),
        ({"weight_decay": [2, 2]}, "its rate of decay is 2, but must"),
        ({"weight_decay": ["0", "0"]}, "its rate of decay is “0”, but must"),
        ({"weight_decay": True}, "its rate of decay is true, but must"),
        ({"weight_decay": [0.1]}, "its rate of decay is [0.1], but must"),
        ({"eigenvalues": [9.0]}, "its list of eigenvalues is [9], but must be at most 6 numbers from -5"),
        ({"eigenvalues": ["4"]}, "it does not say its problem."),
    ]
}


def test_problems_that_the_page_has_not(explorer):
    """One sentence, and the state stays: sizes, rates and eigenvalues are held to what a link is held to."""
    results = [RESULT | {"problem": PROBLEM | json.loads(change)} for change in ELSEWHERE]
    found = explorer.run(f"return (async () => {{{ADOPT}}})()", results)
    for (change, words), (told, same) in zip(ELSEWHERE.items(), found, strict=True):
        assert told.startswith("The file “x.json” is not used: "), (change, told)
        assert words in told, (change, told)
        assert len(told) < 250
        assert same, change
    explorer.settle()
    ((told, same),) = explorer.run(f"return (async () => {{{ADOPT}}})()", [RESULT | {"problem": PROBLEM}])
    assert (told.startswith("Teacher, sizes and decay"), same) == (True, False)


def test_what_is_taken_over_is_what_a_link_says(explorer):
    """Every state of a file is that of its own link; sizes, decay and weights are those of the file."""
    for K in (1, 4, 6):
        problem = PROBLEM | {"inputs": K, "hidden": K, "eigenvalues": [-1.5], "weight_decay": [0.25, 0.25]}
        ((told, same),) = explorer.run(f"return (async () => {{{ADOPT}}})()", [RESULT | {"problem": problem}])
        assert (told.startswith("Teacher, sizes and decay"), same) == (True, False)
        state, read = explorer.run(
            "return [state, readLink(writeLink(state))].map((s) => ({ ...s, W: 0, a: 0 }))"
        )
        assert state == read
        assert (state["inputs"], state["hidden"], state["decay"]) == (K, K, 0.25)
        assert state["eigenvalues"][:K] == [-1.5, *[0] * (K - 1)]


def test_the_page_writes_no_state_that_it_would_refuse(explorer):
    """Neither as a link nor in an exported run: a sentence says what is wrong."""
    refused = explorer.run(
        "const wrong = [{ inputs: 1.5 }, { hidden: 0 }, { unit: 3 }, { seed: -1 }, { scale: 2 }, { decay: NaN },"
        " { automatic: false, tEnd: 0 }, { eigenvalues: [9, 0, 0, 0, 0, 0] }, { moved: { W: { '0.6': 1 }, a: {} } },"
        " { moved: { W: {}, a: { 0: '1' } } }, { start: 'there' }, { activation: 'constructor' }];"
        "return wrong.map((change) => { try { return exported({ ...state, ...change }, explorer.curve) }"
        " catch (error) { return error.message } })"
    )
    for told in refused:
        assert isinstance(told, str)
        assert told.startswith("The state's ")
        assert ", but must be " in told


def test_weights_of_another_size_than_the_problem_are_refused(explorer, tmp_path):
    """Two units of two inputs in a file that speaks of three: neither is taken."""
    W = np.full((1, 2, 2, 2), 0.5)
    content = made(
        W=W,
        A=np.zeros((1, 2, 1, 2)),
        modes=np.zeros((1, 2, 1)),
        result=np.array(json.dumps({"problem": PROBLEM})),
    )
    (tmp_path / "w.npz").write_bytes(content)
    choose(explorer, tmp_path / "w.npz")
    before = explorer.run("return writeLink(state)")
    click(explorer, "adopt")
    assert notice(explorer).endswith("its weights are of 2 units and 2 inputs, but its problem has 3 and 3.")
    assert explorer.run("return writeLink(state)") == before


def test_long_runs_are_read(explorer, tmp_path):
    """200 000 records of three modes: more than a call takes arguments; drawn and taken over all the same."""
    T = 200_000
    W = np.zeros((1, T, 3, 3))
    W[:] = 0.1 * np.eye(3)
    content = made(
        times=np.linspace(0, 5, T),
        loss=np.linspace(20, 1e-3, T)[None],
        modes=np.full((1, T, 3), 0.001),
        W=W,
        A=np.full((1, T, 1, 3), 0.1),
        result=np.array(json.dumps({"problem": PROBLEM | {"eigenvalues": [3.0, 2.0, 1.0]}})),
    )
    (tmp_path / "long.npz").write_bytes(content)
    explorer.driver.find_element("id", "file").send_keys(str(tmp_path / "long.npz"))
    WebDriverWait(explorer.driver, 30, 0.05).until(lambda _: notice(explorer))
    assert notice(explorer) == "Networks of long.npz: 1 of them, 200000 times each."
    settled(explorer)
    assert explorer.run("return explorer.overlay.loss.length") == T
    click(explorer, "adopt")
    assert notice(explorer).startswith("Teacher, sizes, decay and initial weights")
    assert explorer.run("return explorer.state.W") == [[0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]]


def test_many_modes_that_the_page_has_not(explorer):
    """Two hundred thousand of them: the first are drawn, and the page says how many."""
    m = 200_000
    result = RESULT | {"modes": [[0.5] * m, [1.0] * m], "problem": PROBLEM | {"eigenvalues": [3.0] * m}}
    explorer.run(
        "networks = { name: 'x.json', ...networksOfText(arguments[0]) }; schedule()", json.dumps(result)
    )
    explorer.settle()
    drawn = explorer.run(
        "return document.getElementById('curves').data.filter((trace) => trace.mode === 'markers').length"
    )
    assert drawn == 1 + 20
    told = explorer.run("return document.getElementById('overlay-note').textContent")
    assert told.endswith("eigenvalues 3, 3, 3, 3, 3, 3, … (200000). Of its 200000 modes 20 are drawn.")


def test_the_exported_run_is_a_result(explorer, tmp_path, capsys):
    """`quadflow report` reads it; its curves are those of Python; back on the page it brings back the state."""
    for name, value in {
        "eigenvalue-0": -1.5,
        "start": "random",
        "scale": -0.3,
        "decay": 0.1,
        "t-end": 0,
    }.items():
        explorer.set(name, value)
    explorer.set("start-a", -0.7)
    result = json.loads(
        downloaded(explorer, "save-json", tmp_path / "explorer.json").read_text(encoding="utf-8")
    )
    problem = Problem(
        Teacher.from_eigenvalues([-1.5, 2, 1]), Student(result["W"][0], result["a"][0]), weight_decay=0.01
    )
    trajectory = GradientFlow(problem).integrate(times=result["times"])
    np.testing.assert_allclose(result["loss"], trajectory.loss, atol=1e-6)
    np.testing.assert_allclose(result["modes"], trajectory.modes, atol=1e-6)
    np.testing.assert_allclose(result["objective"], trajectory.objective, atol=1e-6)
    np.testing.assert_allclose(result["W"], trajectory.W, atol=1e-6)
    np.testing.assert_allclose(result["a"], trajectory.a, atol=1e-6)
    assert result["problem"]["eigenvalues"] == [2, 1, -1.5]
    assert run(["report", str(tmp_path / "explorer.json"), "--output", str(tmp_path / "r.html")]) == 0
    report = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "teacher eigenvalues" in report
    assert "quadflow explore" in report
    capsys.readouterr()

    state = explorer.run("return explorer.state")
    explorer.set("activation", "centred")
    explorer.set("inputs", "2")
    choose(explorer, tmp_path / "explorer.json")
    click(explorer, "adopt")
    assert notice(explorer) == "The state of the file is shown."
    assert explorer.run("return explorer.state") == state


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_plots_are_exported_as_png(explorer, tmp_path, scheme):
    """At twice the size of the screen, on the background of the page, with the curves in their colours."""
    explorer.scheme(scheme)
    explorer.settle()
    for button, name, plot in (
        ("save-curves", "learning-curves.png", "curves"),
        ("save-plane", "phase-plane.png", "phase-plot"),
    ):
        image = matplotlib.image.imread(downloaded(explorer, button, tmp_path / name))
        width, height = explorer.run(
            "const { layout } = document.getElementById(arguments[0]); return [layout.width, layout.height]",
            plot,
        )
        assert image.shape[1] == 2 * width
        assert (
            image.shape[0] == 2 * height if plot == "curves" else image.shape[0] > 2 * height + 200
        )  # legend
        pixels = np.round(255 * image[..., :3]).astype(int)
        paper = explorer.run("return theme().paper")
        assert pixels[2, 2].tolist() == channels(paper)
        blue = explorer.run("return STYLE.palette[0]")
        assert np.all(pixels == channels(blue), axis=-1).sum() > 200


def channels(colour):
    """Red, green and blue of #rrggbb."""
    return [int(colour[n : n + 2], 16) for n in (1, 3, 5)]
