"""The derived equations, solved by SymPy without any thought, and evaluated at a stationary point."""

import sympy

from dynamics.symbolic.derivation import derive


def solve_aligned(modes, activation="quadratic"):
    """Solution branches of the aligned mode equations in the weights p_i, a_i, by SymPy's polynomial solver.

    Each is a dictionary from the parameters that it determines to their values; the other parameters are free.
    """
    flow = derive(modes, modes, activation=activation).aligned()
    return sympy.solve(list(flow.ode.values()), flow.parameters, dict=True)


def vanishes_in_full_flow(point, activation="quadratic", distribution="gaussian"):
    """Whether the derived rates of *all* weights vanish identically at a point.

    The learned modes have w_i = p_i e_i and a_i = μ_i/p_i² with free p_i, the others w_j = 0 with free a_j.
    """
    d = len(point.learned_modes) + len(point.gains)
    full = derive(d, d, activation=activation, distribution=distribution)
    aligned = full.aligned()
    lam = dict(zip(range(d), aligned.targets, strict=True))
    p = sympy.symbols(f"p_:{d}", positive=True)
    values = {}
    for symbol in full.parameters:
        letter, *indices = symbol.name.split("_")
        k = int(indices[0])
        learned = k in point.learned_modes
        if letter == "a":
            mu = point.learned_values[point.learned_modes.index(k)] if learned else symbol
            values[symbol] = mu / p[k] ** 2 if learned else symbol
        else:
            values[symbol] = p[k] if learned and int(indices[1]) == k else sympy.S.Zero
    for symbol in full.targets:
        i, j = map(int, symbol.name.split("_")[1:])
        values[symbol] = lam[i] if i == j else sympy.S.Zero
    return all(sympy.cancel(rate.xreplace(values)) == 0 for rate in full.ode.values())
