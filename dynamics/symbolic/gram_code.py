"""Index-free equations as a standalone Python module for all sizes, which needs NumPy alone; kernels as JavaScript."""

from __future__ import annotations

import textwrap

from dynamics.symbolic.gram_form import GramForm
from dynamics.symbolic.gram_kernels import GramKernel
from dynamics.symbolic.printers import JavascriptPrinter, PythonPrinter

WIDTH = 100


def gram_python(form: GramForm) -> str:
    """Python module with ``loss(W, A, V, B)`` and ``velocity(W, A, V, B)`` for W (K, d), A (O, K), V (R, d), B (O, R).

    Where the inputs are correlated both take ``Sigma`` too, where there is weight decay the velocity takes its rates.
    """
    same = len(form.kernels) == 1
    cross, teacher = ("student", "student") if same else ("cross", "teacher")
    Sigma = ", Sigma" * form.correlated
    rates = f", rho_w{', rho_a' * form.trainable}" * form.decayed
    returned = "dW, dA" if form.trainable else "dW"
    back = " @ Sigma" * form.correlated
    lines = [
        f'"""Gradient flow of two-layer networks of all sizes: {form.activation}, teacher {form.teacher_activation}.',
        "",
        *textwrap.wrap(f"Student f_o(x) = Σ_k A_ok φ(w_k·x), {form.activation.formula};", WIDTH),
        *textwrap.wrap(
            f"teacher f*_o(x) = Σ_m B_om ψ(v_m·x), {form.teacher_activation.formula.replace('φ', 'ψ')}.",
            WIDTH,
        ),
        f"Inputs x ~ N(0, {'Sigma' if form.correlated else 'I'}); loss L = ½ Σ_o E(f*_o − f_o)².",
        "Shapes: W (K, d), A (O, K), V (R, d), B (O, R).",
        "Written by quadflow from a symbolic derivation of the loss; not meant to be edited.",
        '"""',
        "",
        "import numpy as np",
        "",
        "",
        "def pairs(X, Y, Sigma=None):",
        '    """Variances of X·x, covariances with Y·x, variances of Y·x: arrays that broadcast to (rows, rows)."""',
        "    left, right = (X, Y) if Sigma is None else (X @ Sigma, Y @ Sigma)",
        "    return np.sum(X * left, axis=1)[:, None], left @ Y.T, np.sum(Y * right, axis=1)",
        *(line for name, kernel in form.kernels.items() for line in _kernel(name, kernel)),
        "",
        "",
        f"def loss(W, A, V, B{Sigma}):",
        '    """Population loss."""',
        f"    own, learned, taught = pairs(W, W{Sigma}), pairs(W, V{Sigma}), pairs(V, V{Sigma})",
        "    total = np.sum(A.T @ A * student(*own)[0]) / 2",
        f"    total -= np.sum(A.T @ B * {cross}(*learned)[0])",
        f"    return total + np.sum(B.T @ B * {teacher}(*taught)[0]) / 2",
        "",
        "",
        f"def velocity(W, A, V, B{Sigma}{rates}):",
        f'    """Time derivative{"s" if form.trainable else ""} {returned} under gradient flow."""',
        f"    own, own_c, own_p = student(*pairs(W, W{Sigma}))",
        f"    learned, learned_c, learned_p = {cross}(*pairs(W, V{Sigma}))",
        "    N, M = A.T @ A, A.T @ B",
        "    along = 2 * (np.sum(M * learned_p, axis=1) - np.sum(N * own_p, axis=1))",
        f"    dW = (along[:, None] * W + (M * learned_c) @ V - (N * own_c) @ W){back}",
    ]
    if form.decayed:
        lines.append("    dW -= rho_w * W")
    if form.trainable:
        lines.append("    dA = B @ learned.T - A @ own.T" + " - rho_a * A" * form.decayed)
    return "\n".join([*lines, f"    return {returned}"]) + "\n"


def _kernel(name: str, kernel: GramKernel) -> list[str]:
    """A function of the three Gram entries that returns κ, ∂κ/∂c and ∂κ/∂p."""
    code = PythonPrinter().doprint
    lines = [
        "",
        "",
        f"def {name}(p, c, q):",
        '    """Mean of the product of two units, and its derivatives by c and p."""',
        "    zero = 0 * (p + c + q)",
    ]
    if kernel.square is not None:
        lines += [
            f"    sigma = np.sqrt(np.maximum({code(kernel.square)}, 0))",
            "    theta = np.arctan2(c, sigma)",
        ]
    for start, value in (("value", kernel.value), ("by_c", kernel.by_c), ("by_p", kernel.by_p)):
        lines += textwrap.wrap(
            f"{start} = zero + ({code(value)})",
            WIDTH,
            initial_indent="    ",
            subsequent_indent="        ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return [*lines, "    return value, by_c, by_p"]


def kernel_javascript(kernel: GramKernel) -> str:
    """A JavaScript function (p, c, q) → [κ, ∂κ/∂c, ∂κ/∂p]."""
    code = JavascriptPrinter().doprint
    lines = ["(p, c, q) => {"]
    if kernel.square is not None:
        lines += [
            f"  const sigma = Math.sqrt(Math.max({code(kernel.square)}, 0));",
            "  const theta = Math.atan2(c, sigma);",
        ]
    parts = ",\n    ".join(code(part) for part in (kernel.value, kernel.by_c, kernel.by_p))
    return "\n".join([*lines, f"  return [\n    {parts},\n  ];", "}"])
