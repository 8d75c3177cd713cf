"""The page of one unit in headless Chromium: its numbers against Python's, and its ways of operation."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher

pytest.importorskip("plotly", reason="plotly is not installed")


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    """The file, opened by name as a person would."""
    from dynamics.unit_models import unit_models
    from figures.unit_page import unit_page

    path = tmp_path_factory.mktemp("unit") / "unit.html"
    path.write_text(unit_page(*unit_models()), encoding="utf-8")
    return path


@pytest.fixture
def unit(browser, page):
    """The page as it opens; at the end of each test it must not have complained or asked for anything."""
    browser.open(page)
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == []


@pytest.mark.parametrize("activation", ["quadratic", "relu", "erf", "gelu", "tanh", "silu"])
def test_trajectories_are_those_of_python(unit, activation):
    """Weights and loss against `GradientFlow` at the times of the page, to 1e-6: its solver keeps 1e-9 a step."""
    for name, value in {
        "activation": activation,
        "norm": 1.2,
        "start-u": -0.3,
        "start-y": 0.8,
        "t-end": 1,
    }.items():
        unit.set(name, value)
    curve = unit.run("return explorer.curve")
    times = np.array(curve["times"])
    assert (curve["status"], times[-1]) == ("finished", 10)
    student = Student([[-0.3, 0.8]], [[1.0]], trainable=False)
    problem = Problem(Teacher([[1.2, 0.0]], [[1.0]]), student, activation)
    run = GradientFlow(problem).integrate(times=times, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(curve["states"], run.W[:, 0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(curve["loss"], run.loss, rtol=0, atol=1e-6 * run.loss[0])
    assert np.ptp(run.loss) > 0.1 * run.loss[0]  # something happened
    lengths = np.linalg.norm(run.W[:, 0], axis=1)
    np.testing.assert_allclose(curve["length"], lengths / 1.2, atol=1e-6)
    np.testing.assert_allclose(curve["overlap"], run.W[:, 0, 0] / lengths, atol=1e-5)


def test_the_same_run_in_python(unit):
    """The program that the page shows runs, and ends at the loss that the page shows."""
    unit.set("activation", "gelu")
    unit.set("t-end", 0.5)
    code = unit.run("return document.getElementById('python').textContent")
    setup, _, last = code.rpartition("\n")
    names = {}
    exec(setup, names)
    run = eval(last.removeprefix("print(").removesuffix(")"), names)
    assert run.loss[-1] == pytest.approx(unit.run("return explorer.curve.loss.at(-1)"), rel=1e-5)


def test_weights_move_by_mouse_and_keys(unit):
    """Dragging by pixels moves the start by pixels over the scale of the plane; keys by hundredths and tenths."""
    before = unit.run("return explorer.state")
    scale = unit.run("return planeScale()")
    unit.drag("handle", 40, -20)
    after = unit.run("return explorer.state")
    assert after["u"] - before["u"] == pytest.approx(40 / scale["x"], abs=1.5 / scale["x"])
    assert after["y"] - before["y"] == pytest.approx(20 / scale["y"], abs=1.5 / scale["y"])
    from selenium.webdriver.common.keys import Keys

    unit.run("document.getElementById('handle').focus()")
    unit.press(Keys.ARROW_LEFT, (Keys.SHIFT, Keys.ARROW_UP))
    moved = unit.run("return explorer.state")
    assert moved["u"] - after["u"] == pytest.approx(-0.01)
    assert moved["y"] - after["y"] == pytest.approx(0.1)


def test_it_fits_a_phone(browser, page):
    browser.open(page, browser.PHONE)
    assert browser.overflow() == 0
    assert browser.complaints() == []


def test_the_outcome_is_said(unit):
    """What is learned within a loss of 1e-6 of the start is said to be; a run that ends before says where it is."""
    assert unit.run("return document.getElementById('outcome').textContent").startswith("Learned: at t = 100")
    unit.set("start-u", -1)
    unit.set("start-y", 0)
    unit.set("t-end", -1)
    assert unit.run("return document.getElementById('outcome').textContent").startswith(
        "At t = 0.1 the loss is"
    )
