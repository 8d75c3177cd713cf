"""How learned modes balance under the logistic loss: L = E softplus(f) − E[yf], f = xᵀMx − β, labels y in [0, 1].

With S(M) = E[σ(f) xxᵀ], s₀ = E σ(f), B = E[y xxᵀ] and ȳ = E y

    ẇ_k = a_k G w_k,   G = 2(B − S(M)),   β̇ = s₀ − ȳ  if β is trained.

S(M) has the eigenvectors of M. At rest G vanishes on the learned subspace V, so that S|_V = B|_V: V is spanned by
eigenvectors of B, which are those of the teacher, B_i increasing with λ_i (exchange z_i and z_j), and the values solve

    S_i(m) = B_i,  i ∈ S        (with a trained β also s₀ = ȳ),

the gradient of a strictly convex function: there is at most one M for every S, and one β (derived here). On the other
modes G has the eigenvalues 2β_j, β_j = B_j − s₀. The gains of learned modes are β_i = B_i − s₀, of the sign of m_i, and
with Daleckii and Krein's formula 2E[σ′z_i²z_j²] = β_i/m_i for i ∈ S, j ∉ S. In the coordinates √(β_i/m_i) y_i the
Hessian blocks are those of the square loss with β_i in place of μ_i and β_j in place of λ̃_j: index, nullity and
positive eigenvalues are counted alike (`dynamics.stationary.hessian`). A trained β adds one positive direction: β and
the learned values share a block that is positive definite, and no reflection of an unlearned mode touches it.

Centred units have z_i² − 1 in place of z_i² everywhere: B_i = E[y(z_i² − 1)], and 0 in place of s₀ in the gains.

*Weights that grow for ever.* A convex function has no minimum iff it does not increase along some direction for ever,
here L(M + sN) with rate E[(1 − y)(xᵀNx − b)₊] + E[y (xᵀNx − b)₋] → 0: iff the labels are y = 1{xᵀNx > b}, with b = 0
unless β is trained. Labels that are random, or flipped, are not of this form. Hard labels 1{xᵀM*x > c} that are not
all equal are so iff N is a positive multiple of M* and b that of c (two quadrics of which the one changes its sign
exactly where the other does are the same), that is: *iff all non-zero modes are learned, and c = 0 or β is trained*.
On smaller sets S there is a minimum. (Derived here.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.problem.balance import Balance
from dynamics.problem.expectations import Expect, Expectations

ROUGH, POLISH = 1e-7, 3  # gradient at which trust regions hand over to so many steps of Newton's method
STEPS = 500  # in trust regions, which widen by a factor of 2 each
ACCURACY = 1e-10  # of the balance S_i = B_i


@dataclass(frozen=True, eq=False)
class ClassLandscape:
    """The logistic loss of forms with the eigenvalues m_i on the modes of the teacher.

    Parameters
    ----------
    expect : Expect
        E softplus(f), E σ(f), E σ(f)z_i² and E σ′(f)z_i²z_k² of the eigenvalues of M and of β.
    eigenvalues : (n,) array
        Of the teacher, each at least once, and zero.
    label_moments : (n,) array
        B_i; of zero ȳ.
    mean_label : float
        ȳ.
    bias : float or None
        β; None if it is trained.
    separable : bool
        Whether y = 1{xᵀM*x > c} with a c that the student can have.
    taught : float or None
        β* where the labels have the probability σ(f*): then S(M*) = B, so that who learns all modes is the teacher.
    """

    expect: Expect
    eigenvalues: Array
    label_moments: Array
    mean_label: float
    bias: float | None
    separable: bool
    taught: float | None = None

    coupling = None
    ratio = 1.0
    isotropic = True

    @property
    def gain(self) -> str:
        """β_j, for readers."""
        return "B_j − s₀"

    def unit(self, largest: float) -> float:
        """ln 2, the loss of an output of zero."""
        return float(np.log(2))

    def grows(self, values: Array, multiplicities: NDArray, counts: NDArray) -> bool:
        """Whether weights that learn these modes find no minimum, and grow for ever."""
        return self.separable and bool((counts[values != 0] == multiplicities[values != 0]).all())

    def balance(self, values: Array, multiplicities: NDArray, counts: NDArray) -> Balance | None:
        """The one minimum over forms on these modes; None where there is none."""
        if self.grows(values, multiplicities, counts):
            return None
        B = self._moments_of(values)
        learned = np.flatnonzero(counts)
        complete = bool((counts[values != 0] == multiplicities[values != 0]).all())
        if complete and self.taught is not None:
            m, beta = np.where(counts > 0, values, 0.0)[learned], self.taught
        else:
            m, beta = self._minimum(B[learned], counts[learned], values[learned])
        found = self._found(m, counts[learned], beta)
        mu = np.zeros(len(values))
        mu[learned] = m
        mean = found.aside
        gains = B - mean
        loss = found.value - float(counts[learned] * B[learned] @ m) + beta * self.mean_label
        forces = np.where(multiplicities > counts, 2 * gains, 0.0)
        T = float(values @ (multiplicities - counts))
        trained = beta if self.bias is None else None
        return Balance(mu, B, -mean, forces, loss, T, trained)

    def _moments_of(self, values: Array) -> Array:
        """B of some eigenvalues, (g,)."""
        nearest = np.abs(self.eigenvalues[:, None] - values).argmin(axis=0)
        return self.label_moments[nearest]

    def _found(self, m: Array, counts: NDArray, beta: float) -> Expectations:
        """Expectations over the learned modes."""
        return self.expect(np.repeat(m, counts), beta)

    def _minimum(self, B: Array, counts: NDArray, values: Array) -> tuple[Array, float]:
        """m of each learned eigenvalue, and β: a minimum of a convex function, by Newton's method in trust regions."""
        n = len(B)
        group = np.zeros((int(counts.sum()), n))
        group[np.arange(len(group)), np.repeat(np.arange(n), counts)] = 1.0
        trained = self.bias is None

        def parts(x: Array) -> tuple[float, Array, Array]:
            beta = float(x[n]) if trained else float(self.bias or 0.0)
            found = self._found(x[:n], counts, beta)
            value = found.value - float(counts * B @ x[:n]) + beta * self.mean_label
            slope = group.T @ found.moments - counts * B
            bend = group.T @ found.second @ group
            if trained:
                slope = np.append(slope, self.mean_label - found.slope)
                mixed = -group.T @ found.mixed
                bend = np.block([[bend, mixed[:, None]], [mixed[None], np.array([[found.bend]])]])
            return value, slope, bend

        if n + trained == 0:
            return np.zeros(0), float(self.bias or 0.0)
        starts = np.zeros(n + trained), np.append(values, np.full(int(trained), self.taught or 0.0))
        start = min(starts, key=lambda x: parts(x)[0])  # the teacher itself where labels are all but certain
        rough = minimize(
            lambda x: parts(x)[0],
            start,
            jac=lambda x: parts(x)[1],
            hess=lambda x: parts(x)[2],
            method="trust-exact",
            options={"gtol": ROUGH, "maxiter": STEPS},
        )
        x = rough.x
        for _ in range(POLISH):
            _, slope, bend = parts(x)
            try:
                x = x - np.linalg.solve(bend, slope)
            except (
                np.linalg.LinAlgError
            ):  # σ′ is zero: what is left of the gradient says whether that matters
                break
        error = float(np.abs(parts(x)[1] / np.append(counts, np.ones(int(trained)))).max())
        if not error <= ACCURACY:
            raise ComputationError(
                f"The values at which {int(counts.sum())} learned modes{' and the bias' * trained} balance were not"
                f" found: {error:.3g} is left of the gradient, more than {ACCURACY:g}; where labels are almost"
                " separable they are very large."
            )
        return x[:n], float(x[n]) if trained else float(self.bias or 0.0)
