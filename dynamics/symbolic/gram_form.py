"""Loss and gradient flow without indices for any pair of activations with elementary kernels, in Gram entries.

The student f_o = Σ_k A_ok φ(w_k·x) learns f*_o = Σ_m B_om ψ(v_m·x) under x ~ N(0, Σ). With the scalar products
⟨u, v⟩ = uᵀΣv and the kernels of `dynamics.symbolic.gram_kernels`, each at (⟨u, u⟩, ⟨u, v⟩, ⟨v, v⟩) (derived here),

    L = Σ_o [½ Σ_kl A_ok A_ol κ(w_k, w_l) − Σ_km A_ok B_om λ(w_k, v_m) + ½ Σ_mn B_om B_on μ(v_m, v_n)]

and ẇ_k, Ȧ_ok follow from ∂κ/∂w = 2κ_p Σw + κ_c Σv, whatever the numbers of inputs, hidden units, teacher units and
outputs are.
"""

from __future__ import annotations

from dataclasses import dataclass

from dynamics.activations import Activation
from dynamics.symbolic.equations import SECOND_LAYERS
from dynamics.symbolic.gram_kernels import GramKernel, gram_kernel
from dynamics.symbolic.printers import LatexPrinter, as_text, latex_align
from dynamics.validation import validate_choice

UNITS = {"student": "κ", "cross": "λ", "teacher": "μ"}
GREEK = {"student": r"\kappa", "cross": r"\lambda", "teacher": r"\mu"}


@dataclass(frozen=True)
class GramForm:
    """Index-free equations in Gram entries.

    Attributes
    ----------
    activation, teacher_activation : Activation
    second_layer : str
    correlated, decayed : bool
        Whether there is a covariance Σ, and weight decay at rates ρ_w and, of a trained second layer, ρ_a.
    student, cross, teacher : GramKernel
        κ of two hidden units, λ of a hidden and a teacher unit, μ of two teacher units.
    """

    activation: Activation
    teacher_activation: Activation
    second_layer: str
    correlated: bool
    decayed: bool
    student: GramKernel
    cross: GramKernel
    teacher: GramKernel

    @property
    def trainable(self) -> bool:
        """Whether the second layer is trained."""
        return self.second_layer == "trainable"

    @property
    def kernels(self) -> dict[str, GramKernel]:
        """Those of them that differ, by name: one if teacher and student have the same activation."""
        if self.activation == self.teacher_activation:
            return {"student": self.student}
        return {"student": self.student, "cross": self.cross, "teacher": self.teacher}

    def _repr_latex_(self) -> str:
        return gram_latex(self)


def derive_gram(
    activation: Activation | str,
    teacher_activation: Activation | str | None = None,
    second_layer: str = "trainable",
    correlated: bool = False,
    decayed: bool = False,
) -> GramForm:
    """Derive loss and gradient flow in Gram entries, for polynomials and for single smoothed kinks.

    Parameters
    ----------
    activation : Activation or str
        A polynomial, or a function with one smoothed kink, such as erf, gelu, relu, abs, leaky-relu:SLOPE and relu2.
    teacher_activation : Activation or str, optional
        Likewise; that of the student if left out.
    second_layer : {"trainable", "fixed"}
    correlated : bool
        Whether the inputs have a covariance Σ other than the identity.
    decayed : bool
        Whether there is weight decay.

    Raises
    ------
    ProblemError
        For unknown names, and activations whose kernels are no short formulas.

    Examples
    --------
    >>> derive_gram("polynomial:0,0,0,1").student.value
    6*c**3 + 9*c*p*q
    """
    phi = Activation.parse(activation)
    psi = phi if teacher_activation is None else Activation.parse(teacher_activation)
    validate_choice("second_layer", second_layer, SECOND_LAYERS)
    student, cross, teacher = gram_kernel(phi, phi), gram_kernel(phi, psi), gram_kernel(psi, psi)
    return GramForm(phi, psi, second_layer, correlated, decayed, student, cross, teacher)


def gram_text(form: GramForm) -> str:
    """The equations as plain text; kernels can be parsed by SymPy."""
    same, Sigma = len(form.kernels) == 1, "Σ" * form.correlated
    names = {name: UNITS["student" if same else name] for name in UNITS}
    k, l, m = names["student"], names["cross"], names["teacher"]
    product = "uᵀΣv" if form.correlated else "u·v"
    lines = [
        "Valid for every number of inputs d, hidden units K, teacher units R and outputs O.",
        "",
        f"Inputs      x ~ N(0, {Sigma or 'I'})",
        f"Student     f_o(x) = Σ_k A_ok φ(w_k·x), {form.activation.formula}",
        f"Teacher     f*_o(x) = Σ_m B_om ψ(v_m·x), {form.teacher_activation.formula.replace('φ', 'ψ')}",
        f"Kernels     each at p = ⟨u, u⟩, c = ⟨u, v⟩, q = ⟨v, v⟩ for its two vectors, ⟨u, v⟩ = {product};",
        "            indices c and p are derivatives",
    ]
    for name, kernel in form.kernels.items():
        letter = UNITS[name]
        parts = {"": kernel.value} | ({} if name == "teacher" else {"_c": kernel.by_c, "_p": kernel.by_p})
        lines += [f"            {letter}{index} = {as_text(part)}" for index, part in parts.items()]
        if kernel.square is not None:
            lines.append(f"            with sigma = sqrt({as_text(kernel.square)}), theta = atan2(c, sigma)")
    lines += [
        f"Loss        L = Σ_o [½ Σ_kl A_ok A_ol {k}(w_k, w_l) − Σ_km A_ok B_om {l}(w_k, v_m)"
        f" + ½ Σ_mn B_om B_on {m}(v_m, v_n)]",
        f"Flow        dw_k/dt = Σ_om A_ok B_om [{l}_c(w_k, v_m) {Sigma}v_m + 2{l}_p(w_k, v_m) {Sigma}w_k]",
        f"                    − Σ_ol A_ok A_ol [{k}_c(w_k, w_l) {Sigma}w_l + 2{k}_p(w_k, w_l) {Sigma}w_k]"
        + " − ρ_w w_k" * form.decayed,
    ]
    if form.trainable:
        lines.append(
            f"            dA_ok/dt = Σ_m B_om {l}(w_k, v_m) − Σ_l A_ol {k}(w_k, w_l)"
            + " − ρ_a A_ok" * form.decayed
        )
    if form.trainable and form.activation.degree is not None:
        h = form.activation.degree
        lines.append(
            f"{'With' if form.decayed else 'Conserved':12}c_k = ‖w_k‖² − {h if h > 1 else ''}{' ' * (h > 1)}Σ_o A_ok²"
        )
        if form.decayed:
            lines.append(f"            dc_k/dt = −2ρ_w ‖w_k‖² + {2 * h}ρ_a Σ_o A_ok²")
    return "\n".join(lines) + "\n"


def gram_latex(form: GramForm) -> str:
    """The equations as a LaTeX ``align*`` environment (package amsmath)."""
    same, Sigma = len(form.kernels) == 1, r"\Sigma " * form.correlated
    k, l, m = (GREEK["student" if same else name] for name in GREEK)
    tex = LatexPrinter().doprint
    rows = []
    for name, kernel in form.kernels.items():
        letter = GREEK[name]
        parts = {"": kernel.value} | ({} if name == "teacher" else {"_c": kernel.by_c, "_p": kernel.by_p})
        rows += [f"{letter}{index} &= {tex(part)}" for index, part in parts.items()]
        if kernel.square is not None:
            rows.append(
                rf"\sigma &= \sqrt{{{tex(kernel.square)}}}, \quad \theta = \operatorname{{atan2}}(c, \sigma)"
            )
    rows += [
        rf"L &= \sum_o \Bigl[ \frac{{1}}{{2}} \sum_{{kl}} A_{{ok}} A_{{ol}} {k}(w_k, w_l)"
        rf" - \sum_{{km}} A_{{ok}} B_{{om}} {l}(w_k, v_m)"
        rf" + \frac{{1}}{{2}} \sum_{{mn}} B_{{om}} B_{{on}} {m}(v_m, v_n) \Bigr]",
        rf"\dot{{w}}_k &= \sum_{{om}} A_{{ok}} B_{{om}} \bigl[ {l}_c(w_k, v_m) {Sigma}v_m"
        rf" + 2 {l}_p(w_k, v_m) {Sigma}w_k \bigr] - \sum_{{ol}} A_{{ok}} A_{{ol}} \bigl["
        rf" {k}_c(w_k, w_l) {Sigma}w_l + 2 {k}_p(w_k, w_l) {Sigma}w_k \bigr]"
        + r" - \rho_w w_k"
        * form.decayed,
    ]
    if form.trainable:
        rows.append(
            rf"\dot{{A}}_{{ok}} &= \sum_m B_{{om}} {l}(w_k, v_m) - \sum_l A_{{ol}} {k}(w_k, w_l)"
            + r" - \rho_a A_{ok}" * form.decayed
        )
    return latex_align(rows)


def gram_json(form: GramForm) -> dict[str, dict[str, str]]:
    """Kernels and their derivatives in p, c and q, as strings that SymPy parses."""
    return {
        name: {
            "kernel": as_text(kernel.plain(kernel.value)),
            "by_c": as_text(kernel.plain(kernel.by_c)),
            "by_p": as_text(kernel.plain(kernel.by_p)),
        }
        for name, kernel in form.kernels.items()
    }
