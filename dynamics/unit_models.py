"""What the page of one unit knows: pair kernels of several activations as JavaScript.

Elementary kernels are exported from their derivation (`dynamics.symbolic.gram_kernels`). Scale mixtures are sums of
them, the nodes being numbers: φ(z) = Σ_j p_j φ_0(z/a_j) has the kernel Σ_jl p_j p_l κ_0(p/a_j², c/a_j a_l, q/a_l²).
"""

from __future__ import annotations

import json

import numpy as np

from dynamics.activations import Activation
from dynamics.activations.smooth import logistic_mixture
from dynamics.aliases import Array
from dynamics.symbolic.gram_code import kernel_javascript
from dynamics.symbolic.gram_kernels import gram_kernel

ELEMENTARY = ("quadratic", "relu", "erf", "gelu")


def unit_models() -> tuple[str, dict[str, str]]:
    """JavaScript that defines ``KERNELS[activation](p, c, q)``, and the labels of the activations.

    tanh z = Σ p erf(z/(√2 k)), SiLU z = Σ p 2k GELU(z/2k), by the 20 nodes of the logistic mixture.
    """
    k, weights = logistic_mixture()
    kernels = {name: kernel_javascript(gram_kernel(*[Activation.parse(name)] * 2)) for name in ELEMENTARY}
    kernels |= {"tanh": _mixture("erf", k, weights), "silu": _mixture("gelu", 2 * k, 2 * k * weights)}
    lines = [MIXTURE, "const KERNELS = {};"]
    lines += [f"KERNELS.{name} = {kernel};" for name, kernel in kernels.items()]
    return "\n".join(lines) + "\n", {name: _label(name) for name in kernels}


def _label(name: str) -> str:
    """Name and formula in z."""
    formula = Activation.parse(name).formula.removeprefix("φ(w·x) = ").replace("(w·x)²", "z²")
    return f"{name}: {formula.replace('w·x', 'z')}"


def _mixture(base: str, widths: Array, weights: Array) -> str:
    """The kernel of Σ_j p_j φ_0(z/a_j)."""
    scales, parts = (json.dumps(np.asarray(values).tolist()) for values in (widths, weights))
    return f"mixture(KERNELS.{base}, {scales}, {parts})"


MIXTURE = """/** Kernel of a sum of scaled units, sum_j weights[j] base(z/widths[j]). */
function mixture(base, widths, weights) {
  const kernel = (p, c, q) => {
    const total = [0, 0, 0];
    widths.forEach((a, j) => widths.forEach((b, l) => {
      const [value, byC, byP] = base(p / (a * a), c / (a * b), q / (b * b));
      const weight = weights[j] * weights[l];
      total[0] += weight * value;
      total[1] += (weight * byC) / (a * b);
      total[2] += (weight * byP) / (a * a);
    }));
    return total;
  };
  return Object.assign(kernel, { base });
}"""
