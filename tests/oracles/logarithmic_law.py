"""Leading law t_s ≈ θ_s ln(1/ε) of the jump times for a second layer fixed at one value."""

import numpy as np


def logarithmic_law(eigenvalues, *, value=1.0, hidden=None, trace_coupling=1.0):
    """θ of the learned modes, in order: eigenvalues of the sign of the fixed second-layer weight α, largest first.

    A column of size ε grows by the factor ε^(−Σ α g Δθ) and jumps where that has reached 1/ε:

        θ_{s+1} = θ_s + [1 − Σ_{q<s} α g_{s+1}^{(q)} (θ_{q+1} − θ_q)] / (α g_{s+1}^{(s)}),

    g_j^{(s)} = 4(λ_j + T_s/(s+2)) (theory: "saddle to saddle"; centred: T_s → 0).
    """
    lam = np.sort(np.array(eigenvalues, dtype=float) * np.sign(value))[::-1]
    count = int(np.sum(lam > 0))
    if hidden is not None:
        count = min(count, hidden)
    theta = np.zeros(count + 1)
    grown = np.zeros(len(lam))  # exponents Σ α g Δθ reached so far
    for s in range(count):
        g = 4 * abs(value) * (lam + trace_coupling * lam[s:].sum() / (s + 2))
        if g[s] <= 0:
            return theta[1 : s + 1]
        theta[s + 1] = theta[s] + (1 - grown[s]) / g[s]
        grown += g * (theta[s + 1] - theta[s])
    return theta[1:]
