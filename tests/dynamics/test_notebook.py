"""What notebooks show: well-formed, escaped HTML without colours, and LaTeX that says the same as the text."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import sympy

from dynamics import (
    FlowEnsemble,
    GradientFlow,
    MeanSGD,
    Problem,
    Student,
    Teacher,
    conserved_quantities,
    derive,
    derive_tensor,
    fixed_points,
    form_moment,
)
from dynamics.laws import Law, count_laws, quadratic
from dynamics.notebook import SHOWN_ROWS, formula_latex, laws_latex, short_latex, table
from dynamics.stationary.symbolic import symbolic_fixed_points


class Reader(HTMLParser):
    """Texts of the cells, row by row; unbalanced or forbidden tags fail."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.rows, self.titles = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert tag in ("div", "b", "table", "tr", "th", "td")
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
            self.titles.append(dict(attributes).get("title"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


def problem(**options):
    return Problem(Teacher.from_eigenvalues([4, 2, 1], 5), Student.initialise(3, 5, scale=0.01), **options)


def test_a_problem_is_a_table_of_what_was_given():
    rows = dict(Reader(problem()._repr_html_()).rows)
    assert rows["hidden units K"] == "3"
    assert rows["inputs d"] == "5, x ~ N(0, I)"
    assert rows["teacher"] == "eigenvalues 4, 2, 1"
    assert rows["second layer"] == "trained"


def test_a_problem_with_covariance_shows_its_extremes():
    Sigma = np.diag([0.5, 1, 1, 2, 3])
    rows = dict(Reader(problem(covariance=Sigma)._repr_html_()).rows)
    assert rows["eigenvalues of Σ"] == "0.5 … 3"
    assert r"\mathcal{N}(0, \Sigma)" in problem(covariance=Sigma)._repr_latex_()


def test_a_long_teacher_is_cut():
    long = Problem(Teacher.power_law(1, 20), Student.initialise(2, 20))
    assert dict(Reader(long._repr_html_()).rows)["teacher"].endswith(", …, 0.05 (20 in all)")


def test_a_trajectory_shows_its_plateaus():
    """Plateau levels of λ = 4, 2, 1 (theory): 45.5, 8, 1.25, 0."""
    student = Student.initialise(8, 6, scale=0.01)
    trajectory = GradientFlow(Teacher.from_eigenvalues([4, 2, 1], 6), student).integrate(t_end=20)
    reader = Reader(trajectory._repr_html_())
    assert reader.rows[0] == ["plateau, t", "loss", "predicted", "learned modes"]
    assert [row[2] for row in reader.rows[1:]] == ["45.5", "8", "1.25", "0"]
    assert reader.rows[-1][3] == "{0–2}"
    for line in trajectory.summary().splitlines():
        assert line in reader.text


def test_results_without_plateaus_are_shown_too():
    """A single sample, an ensemble, mean SGD."""
    start = GradientFlow(problem()).integrate(times=[0.1])
    assert Reader(start._repr_html_()).rows == []
    ensemble = FlowEnsemble([problem()]).integrate(times=[0, 0.1])
    assert "1 trajectory" in ensemble._repr_html_()
    assert "SGD, step 0.01" in MeanSGD(problem(), 0.01).integrate(times=[0, 0.1])._repr_html_()


def test_texts_are_escaped():
    """A solver's message with markup appears as such; so do cells and tooltips."""
    trajectory = GradientFlow(problem()).integrate(times=[0, 0.1])
    bad = "<script>\"&'</script>"
    shown = Reader(replace(trajectory, solver=replace(trajectory.solver, message=bad))._repr_html_())
    assert bad in shown.text
    reader = Reader(table([bad], [[bad]], [bad]))
    assert reader.rows == [[bad], [bad]]
    assert reader.titles == [None, bad]


def test_a_catalogue_shows_kinds_and_reasons():
    catalogue = fixed_points(Teacher.from_eigenvalues([2, -1.9]), 1)
    reader = Reader(catalogue._repr_html_())
    assert [row[-1] for row in reader.rows[1:]] == [
        "not feasible",
        "global minimum",
        "spurious minimum",
        "saddle",
    ]
    assert reader.titles[1:] == [point.reason for point in catalogue.points]


def test_a_long_catalogue_is_cut():
    """2⁶ points."""
    reader = Reader(fixed_points(Teacher.from_eigenvalues([6, 5, 4, 3, 2, 1]), 6)._repr_html_())
    assert len(reader.rows) == SHOWN_ROWS + 1
    assert f"… and {64 - SHOWN_ROWS} more" in reader.text


def test_no_colours_so_that_dark_pages_stay_readable():
    shown = [problem()._repr_html_(), GradientFlow(problem()).integrate(times=[0, 1])._repr_html_()]
    assert not any(word in html for html in shown for word in ("color", "background", "#"))


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("‖w_0‖² − 2a_0²", r"\lVert w_{0} \rVert ^2 - 2a_{0}^2"),
        ("w_10·w_2/0.5", r"w_{10} \cdot w_{2}/0.5"),
        ("φ(w·x) = max(w·x, 0)", r"\varphi (w \cdot x) = \max (w \cdot x, 0)"),
        ("projector (3, 0) of equal units", r"\text{ projector } (3, 0) \text{ of equal units }"),
    ],
)
def test_formulas_in_latex(text, latex):
    """Written by hand."""
    assert formula_latex(text) == latex


@pytest.mark.parametrize("activation", ["quadratic", "centred", "linear", "relu", "abs"])
def test_every_activation_has_latex(activation):
    latex = problem(activation=activation)._repr_latex_()
    assert latex.count("{") == latex.count("}")
    assert r"\sum_{k=1}^{3}" in latex
    assert latex.isascii()


def test_laws_in_latex():
    """c_k = ‖w_k‖² − 2 a_k²; w·w of units with opposite second-layer weights; a law of one's own."""
    latex = conserved_quantities(problem())._repr_latex_()
    assert [line.removeprefix("& ").removesuffix(r" \\") for line in latex.splitlines()[1:-1]] == [
        rf"\lVert w_{{{k}}} \rVert ^2 - 2a_{{{k}}}^2" for k in range(3)
    ]
    fixed = Student([[1.0, 2], [3, 4]], [1, -1], trainable=False)
    (law,) = conserved_quantities(Problem(Teacher.from_eigenvalues([1.0, 1]), fixed))
    assert law._repr_latex_() == r"$w_{0} \cdot w_{1}$"
    u, v = sympy.symbols("u v_0_1")
    assert Law(u**2 - 2 * v, (u, v))._repr_latex_() == "$u^{2} - 2 v_{0,1}$"


def test_symbolic_laws_are_listed_with_their_count():
    counted = count_laws(quadratic(2, 2))
    latex = counted._repr_latex_()
    assert r"w_{0,0}^{2} + w_{0,1}^{2} - 2 a_{0}^{2}" in latex
    assert counted.summary() in latex
    assert conserved_quantities(quadratic(2, 2))[0]._repr_latex_() == f"${counted.laws[0].latex()}$"


def test_no_law_no_latex():
    """A notebook falls back on the plain text, an empty tuple."""
    fixed = Student([[1.0, 2]], [1], trainable=False)
    assert conserved_quantities(Problem(Teacher.from_eigenvalues([1.0, 1]), fixed))._repr_latex_() is None


def test_many_laws_are_cut():
    assert "… and 2 more" in laws_latex(["x"] * (SHOWN_ROWS + 2))


def test_derivations_are_shown_as_their_exports():
    from dynamics.symbolic.export import to_latex
    from dynamics.symbolic.tensor_form import tensor_latex

    derivation = derive(hidden=1, inputs=2)
    assert derivation._repr_latex_() == to_latex(derivation)
    assert derive_tensor()._repr_latex_() == tensor_latex(derive_tensor())


def test_what_would_take_long_to_typeset_is_left_to_the_plain_text():
    assert short_latex("x" * 20_000) == "x" * 20_000
    assert short_latex("x" * 20_001) is None
    assert derive(hidden=8, inputs=8)._repr_latex_() is None


def test_traces_and_symbolic_points_are_formulas():
    """E[(xᵀAx)] = tr A; the matrix G = 4D + 2 tr(D) I of the flow (theory)."""
    assert form_moment(["A"])._repr_latex_() == r"$\operatorname{tr}(A)$"
    assert derive_tensor().G._repr_latex_() == r"$4 D + 2 \operatorname{tr}(D) I$"
    assert all(p._repr_latex_().startswith("$S = ") for p in symbolic_fixed_points(1))
