"""What one step of SGD makes of the order parameters, in the mean over its samples: exact for every d, B and η.

    E[Q'_kl] = (1 − ηρ_w)² Q_kl + (1 − ηρ_w) η Σ_o (A_ok + A_ol) w_kᵀG_ow_l + 4η² Σ_op A_okA_pl w_kᵀN_opw_l
    E[R'_km] = (1 − ηρ_w) R_km + η Σ_o A_ok w_kᵀG_ov_m,     E[A'_ok] = (1 − ηρ_a) A_ok + ½η w_kᵀG_ow_k
    E[A'_okA'_ol] = (1 − ηρ_a)² A_okA_ol + (1 − ηρ_a)(η/2)(A_ok w_lᵀG_ow_l + A_ol w_kᵀG_ow_k) + η² S_o,kl

with G_o = 4D_o + 2τ_o I, N of `dynamics.sgd.mean_sgd` and, for one output and quadratic units, n_k = ‖w_k‖²,
α = WDWᵀ, β = WD²Wᵀ,

    S_kl = E[e²(w_k·x)²(w_l·x)²] = (n_kn_l + 2Q_kl²)(τ² + 2‖D‖² + Δ) + 4τ(α_kkn_l + α_lln_k) + 16τα_klQ_kl
           + 8(β_kkn_l + β_lln_k) + 32β_klQ_kl + 8α_kkα_ll + 16α_kl².

Batches of B divide what is due to sampling in the second-order terms by B. Weight decay, coupled or decoupled, does the
same to plain SGD. Where both layers decay alike E[c'_k] = (1 − ηρ)²c_k + η²(4a_k²w_kᵀNw_k − 2S_kk). Derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.sgd.gradient_moments import GradientMoments
from dynamics.sgd.mean_sgd import MeanSGD


@dataclass(frozen=True, eq=False)
class StepMeans:
    """Means over the samples of one step.

    Parameters
    ----------
    Q, R, A : (K, K), (K, R), (O, K) arrays
        E[w'_k·w'_l], E[w'_k·v_m] and E[A'_ok].
    AA : (O, K, K) array
        E[A'_ok A'_ol].
    """

    Q: Array
    R: Array
    A: Array
    AA: Array

    @property
    def conserved(self) -> Array:
        """E[c'_k] = E‖w'_k‖² − 2 Σ_o E[A'_ok²], (K,)."""
        return np.asarray(np.diagonal(self.Q) - 2 * np.einsum("okk->k", self.AA))


def step_means(problem: Problem, step: float, *, batch: int = 1, label_noise: float = 0.0) -> StepMeans:
    """Means after one step of SGD from the student's weights.

    Parameters
    ----------
    problem : Problem
        With its weight decay; quadratic or centred units, uncorrelated inputs.
    step, batch, label_noise
        η, B and Δ.

    Raises
    ------
    ProblemError
        If the theory does not cover the problem, or an argument is not usable.
    """
    require("spread of SGD", problem)
    theory = MeanSGD(problem, step, batch, label_noise)
    eta, B, order = theory.step, theory.batch, theory.order
    state = order.start
    Q, R, A = order.unpack(state + eta * theory.drift(state))
    before = order.unpack(state)[2]
    K = before.shape[1]
    AA = np.einsum("ok,ol->okl", before, before)
    if problem.student.trainable:
        moments = GradientMoments(
            *order.gram(state), order.trace_coupling, problem.all_inputs, theory.label_noise
        )
        kept = 1 - eta * problem.weight_decay.second
        mean = np.einsum("okk->ok", moments.first[:, :K, :K])
        cross = np.einsum("ok,ol->okl", before, mean)
        squares = moments.square_products[:, :K, :K] / B + (1 - 1 / B) * np.einsum("ok,ol->okl", mean, mean)
        AA = kept**2 * AA + kept * eta * (cross + np.swapaxes(cross, 1, 2)) + eta**2 * squares
    return StepMeans(Q, R, A, AA)
