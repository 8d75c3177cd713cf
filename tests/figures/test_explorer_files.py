"""Files of the explorer: trained networks over its curves, and what it exports."""

import base64
import io
import json
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
    "bomb.npz": (bomb(), "its array about.npy is longer than it says."),
}  # fmt: skip


def test_files_that_are_not_ours_are_refused_in_one_sentence(explorer, tmp_path):
    """Nothing is drawn, and what was drawn stays."""
    for name, (content, words) in REFUSED.items():
        (tmp_path / name).write_bytes(content)
        choose(explorer, tmp_path / name)
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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"activation": "relu"}, "it is of another kind: the page knows quadratic and centred units"),
        ({"covariance": "given"}, "it is of another kind"),
        ({"second_layer": "fixed"}, "it is of another kind"),
        ({"inputs": 7}, "it has 7 inputs and 3 units, but the page at most 6 and 6."),
        ({"hidden": 1e300}, "units, but the page at most 6 and 6."),
        ({"weight_decay": [0.1, 0.2]}, "its layers decay at different rates"),
        ({"eigenvalues": [9.0]}, "an eigenvalue is beyond ±5."),
    ],
)
def test_problems_that_the_page_has_not(explorer, change, words):
    """One sentence, and the state stays."""
    problem = {
        **{
            "inputs": 3,
            "hidden": 3,
            "outputs": 1,
            "activation": "quadratic",
            "teacher_activation": "quadratic",
        },
        **{"second_layer": "trainable", "distribution": "gaussian", "covariance": "identity"},
        **{"weight_decay": [0.0, 0.0], "eigenvalues": [2.0]},
    }
    script = "networks = {name: 'x.json', ...networksOfText(arguments[0])}; const before = writeLink(state);"
    after = "return adopt().then(() => [document.getElementById('notice').textContent, writeLink(state) === before])"
    told, same = explorer.run(script + after, json.dumps(RESULT | {"problem": problem | change}))
    assert words in told
    assert same
    told, same = explorer.run(script + after, json.dumps(RESULT | {"problem": problem}))
    assert (told.startswith("Teacher, sizes and decay"), same) == (True, False)


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
