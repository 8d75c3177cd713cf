"""The explorer in headless Chromium: its numbers against Python's, and every way of operating it."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.problem.levels import plateau_level

pytest.importorskip("plotly", reason="plotly is not installed")

LARGEST_PAGE = 6_000_000  # bytes


def shown(browser, expression):
    """Part of what the page says that it shows."""
    return browser.run(f"return explorer.{expression}")


def configure(browser, *, activation="quadratic", start="aligned", hidden=3, lam=(4, 2, 1), **controls):
    """Set the controls of teacher, network and start."""
    browser.set("inputs", str(len(lam)))
    browser.set("hidden", hidden)
    browser.set("activation", activation)
    browser.set("start", start)
    for i, value in enumerate(lam):
        browser.set(f"eigenvalue-{i}", value)
    for name, value in controls.items():
        browser.set(name.replace("_", "-"), value)


CASES = {
    "as it opens": {},
    "one mode, failing": {"hidden": 1, "lam": (1.5,), "start_a": -1.0, "start_p": 1.3, "t_end": 1},
    "one mode, learning": {"hidden": 1, "lam": (1.5,), "start_a": -1.0, "start_p": 1.5, "t_end": 1},
    "small start": {"scale": -2, "t_end": 1.5},
    "random units": {"hidden": 4, "start": "random", "seed": "3", "scale": -0.7, "t_end": 1},
    "centred": {
        "hidden": 2,
        "lam": (3, -2),
        "start": "random",
        "seed": "1",
        "activation": "centred",
        "t_end": 1,
    },
    "with decay": {
        "hidden": 3,
        "lam": (4, -2, 1),
        "start": "random",
        "scale": -0.5,
        "decay": 0.4,
        "t_end": 1,
    },
    "six of each": {"hidden": 6, "lam": (4, 3, 2, 1, -1, -2), "start": "random", "scale": -0.5, "t_end": 0.5},
    "a size without a flow of its own": {
        "hidden": 5,
        "lam": (3, -2),
        "start": "random",
        "scale": -0.3,
        "decay": 0.1,
        "t_end": 0.5,
    },
    "large start": {"hidden": 4, "lam": (5, -5, 2), "start": "random", "seed": "2", "scale": 0, "t_end": 0.5},
}


@pytest.mark.parametrize("case", CASES)
def test_trajectories_are_those_of_python(explorer, case):
    """Weights and loss against `GradientFlow` (LSODA at rtol 1e-12) at the very times of the page, to 1e-6."""
    configure(explorer, **CASES[case])
    state, curve = shown(explorer, "state"), shown(explorer, "curve")
    d, K, times = state["inputs"], state["hidden"], np.array(curve["times"])
    assert curve["solver"]["status"] in ("finished", "stopped")
    if "t_end" in CASES[case]:
        assert times[-1] == pytest.approx(10 ** CASES[case]["t_end"])
    teacher = Teacher.from_eigenvalues(state["eigenvalues"][:d])
    student = Student(state["W"], state["a"])
    problem = Problem(teacher, student, state["activation"], weight_decay=state["decay"])
    trajectory = GradientFlow(problem).integrate(times=times)
    theta = np.array(curve["states"])  # w row by row, then a
    np.testing.assert_allclose(theta[:, : K * d], trajectory.W.reshape(len(times), -1), rtol=0, atol=1e-6)
    np.testing.assert_allclose(theta[:, K * d :], trajectory.a, rtol=0, atol=1e-6)
    np.testing.assert_allclose(curve["loss"], trajectory.loss, rtol=0, atol=1e-6 * trajectory.loss[0])
    np.testing.assert_allclose(
        curve["modes"], np.einsum("tk,tki->ti", trajectory.a, trajectory.W**2), atol=1e-5
    )
    if state["decay"]:
        np.testing.assert_allclose(curve["objective"], trajectory.objective, atol=1e-6 * trajectory.loss[0])
    assert np.ptp(trajectory.loss) > 0.1 * trajectory.loss[0]  # something happened


def test_the_same_run_in_python(explorer):
    """The program that the page shows runs, and ends at the loss that the page shows."""
    configure(
        explorer,
        **{"activation": "centred", "hidden": 2, "lam": (3, -2), "start": "random", "seed": "1"},
        **{"scale": -0.5, "decay": 0.3, "t_end": 0},
    )
    code = explorer.run("return document.getElementById('python').textContent")
    setup, _, last = code.rpartition("\n")
    names = {}
    exec(setup, names)
    trajectory = eval(last.removeprefix("print(").removesuffix(")"), names)
    assert trajectory.loss[-1] == pytest.approx(shown(explorer, "curve.loss")[-1], rel=1e-5)
    assert trajectory.loss[-1] < 0.9 * trajectory.loss[0]


def test_the_step_has_its_orders(explorer):
    """y' = −y: halving one step divides its error by 2⁶ (order 5) and the estimated error by 2⁵ (order 4)."""
    steps = explorer.run(
        "return [0.4, 0.2, 0.1].map((h) => {"
        " const {state, error} = dormandPrinceStep((t, y) => [-y[0]], 0, [1], h, [-1]);"
        " return [Math.abs(state[0] - Math.exp(-h)), Math.abs(error[0])]; })"
    )
    ratios = np.log2(np.array(steps)[:-1] / np.array(steps)[1:])
    np.testing.assert_allclose(ratios[1], [6, 5], atol=0.2)


def test_the_solver_keeps_its_tolerance(explorer):
    """y' = cos(t) y, y = exp(sin t): a global error of the order of the tolerance (there is no amplification)."""
    error, status, last = explorer.run(
        "const run = integrate((t, y) => [Math.cos(t) * y[0]], [1], 10, {rtol: 1e-9, atol: 1e-12});"
        "const errors = run.times.map((t, n) => Math.abs(run.states[n][0] - Math.exp(Math.sin(t))));"
        "return [Math.max(...errors), run.status, run.times.at(-1)]"
    )
    assert status == "finished"
    assert last == 10
    assert error < 1e-7
    blown = "return integrate((t, y) => [y[0] * y[0]], [1], 2, {rtol: 1e-9, atol: 1e-12}).status"
    assert explorer.run(blown) in ("step too small", "budget spent")  # y = 1/(1 − t) has no value at 2


def test_dragging_the_initial_point(explorer):
    """The start follows the mouse: pixels of the frame are units of the plane."""
    before = shown(explorer, "state")
    width = explorer.run("return document.getElementById('phase-plot').clientWidth - MARGIN.l - MARGIN.r")
    extent = shown(explorer, "extent")
    explorer.drag("handle", 60, -80)
    after = shown(explorer, "state")
    assert after["a"][0] - before["a"][0] == pytest.approx(60 * 2 * extent / width, abs=0.02)
    height = explorer.run("return document.getElementById('phase-plot').clientWidth - MARGIN.t - MARGIN.b")
    assert after["W"][0][0] - before["W"][0][0] == pytest.approx(80 * 2 * extent / height, abs=0.02)
    assert after["W"][1] == before["W"][1]
    c = after["W"][0][0] ** 2 - 2 * after["a"][0] ** 2
    assert shown(explorer, "curve.conserved")[0]["value"] == pytest.approx(c)
    cell = explorer.run("return document.querySelector('#conserved tr td').textContent").replace("−", "-")
    assert float(cell) == pytest.approx(c, rel=1e-3)
    # the drawn path starts at the new point
    path = "document.getElementById('phase-plot').data.find((trace) => trace.name === 'path of the unit')"
    assert explorer.run(f"return {path}.x[0]") == pytest.approx(after["a"][0])


def test_dragging_over_the_separatrix_decides_success(explorer):
    """One unit, λ = 2: it fails for a₀ < 0 and p₀² ≤ 2a₀², at the level 3/2 λ² = 6 (theory, section 2)."""
    configure(explorer, hidden=1, lam=(2,), start_a=-1, start_p=1.40)
    outcome = "return document.getElementById('outcome').textContent"
    assert "Not everything is learned" in explorer.run(outcome)
    assert "level 6 of ∅" in explorer.run(outcome)
    explorer.set("start-p", 1.43)
    assert explorer.run(outcome).startswith("Learned")
    assert shown(explorer, "curve.loss").pop() < 1e-3


def test_everything_answers_to_the_keyboard(explorer):
    """Tab visits every control that is shown, each with a visible focus and a name; arrows move point and sliders."""
    from selenium.webdriver.common.keys import Keys

    wanted = explorer.run(
        "const all = document.querySelectorAll('input, select, button, summary, [tabindex=\"0\"]');"
        "return [...all].filter((e) => e.checkVisibility()).map((e, n) => (e.dataset.order = n))"
    )
    reached = set()
    explorer.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    for _ in range(len(wanted) + 2):
        explorer.press(Keys.TAB)
        order, outline, name = explorer.run(
            "const e = document.activeElement;"
            "const label = e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent;"
            "return [e.dataset.order, getComputedStyle(e).outlineStyle, label]"
        )
        if order is not None:
            reached.add(int(order))
            assert outline != "none"
            assert name.strip()
    assert reached == set(wanted)

    explorer.run("document.getElementById('handle').focus()")
    a, p = shown(explorer, "state.a")[0], shown(explorer, "state.W")[0][0]
    explorer.press(Keys.ARROW_RIGHT, Keys.ARROW_UP, Keys.ARROW_UP, (Keys.SHIFT, Keys.ARROW_LEFT))
    assert shown(explorer, "state.a")[0] == pytest.approx(a + 0.01 - 0.1)
    assert shown(explorer, "state.W")[0][0] == pytest.approx(p + 0.02)
    told = explorer.run("return document.getElementById('handle').getAttribute('aria-valuetext')")
    assert told == "unit 1: a = −0.06, w on mode 1 = 0.05"

    explorer.run("document.getElementById('eigenvalue-1').focus()")
    explorer.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert shown(explorer, "state.eigenvalues")[1] == pytest.approx(2.2)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_stationary_points_follow_the_eigenvalues(explorer, activation):
    """Table and levels against `plateau_level` for other eigenvalues, one of them negative."""
    lam = (3.5, -2.2, 0.9)
    configure(explorer, lam=lam, activation=activation)
    points = shown(explorer, "points")
    assert [p["loss"] for p in points] == sorted(p["loss"] for p in points)
    assert len(points) == 8
    for point in points:
        level = plateau_level(lam, point["learned"], 1.0 if activation == "quadratic" else 0.0)
        assert point["loss"] == pytest.approx(level.loss, abs=1e-12)
        assert point["values"] == pytest.approx(level.values)
    cells = explorer.run(
        "return [...document.querySelectorAll('#points td:nth-child(2)')].map((c) => c.textContent)"
    )
    assert [float(c) for c in cells] == pytest.approx([p["loss"] for p in points], rel=1e-4, abs=1e-12)


def test_the_start_says_what_it_can_learn(explorer):
    """Aligned units keep axis and, with c < 0, sign: mode 2 < 0 is out of reach until unit 2 is turned round."""
    configure(explorer, lam=(3, -2, 1))
    possible = "return explorer.points.filter((p) => !p.missing).map((p) => p.learned.join())"
    assert sorted(explorer.run(possible)) == ["", "0", "0,2", "2"]
    assert shown(explorer, "points.find((p) => p.reached).key") == "0,2"
    explorer.run("document.querySelectorAll('#signs button')[1].click()")
    explorer.settle()
    assert shown(explorer, "state.a")[1] < 0
    assert len(explorer.run(possible)) == 8
    assert shown(explorer, "points.find((p) => p.reached).key") == "0,1,2"


def test_the_plateaus_passed_are_marked(explorer):
    """λ = (4, 2, 1) from a small start: ∅, {1}, {1, 2}, {1, 2, 3}, the levels 45.5, 8, 1.25, 0 (theory, section 3)."""
    visited = explorer.run("return explorer.points.filter((p) => p.visited).map((p) => p.loss)")
    assert visited == pytest.approx([0, 1.25, 8, 45.5])
    labels = explorer.run(
        "const { annotations } = document.getElementById('curves').layout;"
        "return annotations.map((a) => a.text).filter((text) => text.includes('level'))"
    )
    assert labels == ["level of ∅: 45.5", "level of {1}: 8", "level of {1, 2}: 1.25"]


def test_conserved_quantities_stay(explorer):
    """c_k at the start from its definition, and its drift within what the tolerance allows."""
    configure(explorer, hidden=4, start="random", seed="4", scale=-0.5)
    state, conserved = shown(explorer, "state"), shown(explorer, "curve.conserved")
    W, a = np.array(state["W"]), np.array(state["a"])
    assert [c["value"] for c in conserved] == pytest.approx(np.sum(W**2, axis=1) - 2 * a**2)
    assert 0 < max(c["drift"] for c in conserved) < 1e-8


def test_scale_and_reset(explorer):
    """The scale multiplies all weights, dragged ones too; the button takes dragging back."""
    explorer.set("start-a", 0.3)
    explorer.set("scale", -1)
    assert shown(explorer, "state.a") == pytest.approx([1.0, 0.1, 0.1])
    explorer.run("document.getElementById('reset').click()")
    explorer.settle()
    assert shown(explorer, "state.a") == pytest.approx([0.1, 0.1, 0.1])


@pytest.mark.parametrize(
    "lam", [(4, 2, 1), (2, 2, 2, 2, 2, 2), (5, 0.1, 0, -0.1, -0.2, -5), (1, 1, 1, 1, 1, -5)]
)
def test_the_ends_of_curves_are_named(explorer, lam):
    """In their colours and order, beside the curves' ends where these are apart, and never on each other."""
    configure(explorer, lam=lam, hidden=6)
    labels, palette, ink = explorer.run(
        "return [document.getElementById('curves').layout.annotations.filter((a) => a.text.startsWith('mode')),"
        " STYLE.palette, theme().ink]"
    )
    assert [label["text"] for label in labels] == [f"mode {i + 1}" for i in range(len(lam))]
    for label, colour in zip(labels, palette, strict=False):
        mixed = [round(0.65 * int(colour[n : n + 2], 16) + 0.35 * int(ink[n : n + 2], 16)) for n in (1, 3, 5)]
        assert label["font"]["color"] == f"rgb({', '.join(map(str, mixed))})"
    boxes = explorer.run(
        "return [...document.querySelectorAll('#curves .annotation')].filter((a) => a.textContent.startsWith('mode'))"
        ".map((a) => a.getBoundingClientRect()).map(({ top, bottom, right }) => [top, bottom, right])"
    )
    edge = explorer.run("return document.getElementById('curves').getBoundingClientRect().right")
    assert all(right < edge for _, _, right in boxes)
    low, high = explorer.run("return document.getElementById('curves').layout.yaxis2.range")
    assert all(low - 1e-9 <= label["y"] <= high + 1e-9 for label in labels)
    middles = sorted((top + bottom) / 2 for top, bottom, _ in boxes)
    assert np.diff(middles).min() > 15
    ends = shown(explorer, "curve.modes.at(-1)")
    if len(lam) == 3:
        assert [label["y"] for label in labels] == pytest.approx(ends, abs=0.05)
    assert np.all(np.diff([label["y"] for label in labels])[np.diff(ends) < -0.1] < 0)


@pytest.mark.parametrize("size", ["PHONE", "DESKTOP"])
def test_it_fits_the_screen(browser, explorer_page, size):
    """Nothing sticks out sideways; the point is large enough for a finger (44 px)."""
    browser.open(explorer_page, getattr(browser, size))
    assert browser.overflow() <= 0
    configure(browser, hidden=6, lam=(4, 3, 2, 1, -1, -2), decay=0.3)
    assert browser.overflow() <= 0
    beyond = "const right = document.getElementById('controls').getBoundingClientRect().right;"
    assert browser.run(
        beyond
        + "return [...document.querySelectorAll('#controls *')].every((e) => e.getBoundingClientRect().right <= right)"
    )
    box = browser.run("return document.getElementById('handle').getBoundingClientRect().toJSON()")
    assert box["width"] >= 44 and box["height"] >= 44
    inside = browser.run("return document.getElementById('phase-plot').getBoundingClientRect().toJSON()")
    assert inside["left"] < box["left"] and box["right"] < inside["right"]
    assert browser.complaints() == []


def test_a_dark_screen_gets_light_ink(explorer):
    """Page and plots change together when the reader's preference does."""
    ink = "return document.getElementById('curves').layout.font.color"
    light = explorer.run(ink)
    explorer.scheme("dark")
    explorer.settle()
    dark = explorer.run(ink)
    assert light != dark
    assert dark == explorer.run("return getComputedStyle(document.documentElement).getPropertyValue('--ink')")


def test_the_page_is_one_file_of_moderate_size(explorer_page):
    """Nothing to load, which the page's own security policy enforces."""
    text = explorer_page.read_text(encoding="utf-8")
    assert explorer_page.stat().st_size < LARGEST_PAGE
    assert "default-src 'none'" in text
    assert not any(mark in text for mark in ("<link", "<script src", "@import"))
