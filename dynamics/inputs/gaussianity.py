"""How far a fourth moment is from that of Gaussian inputs with the same second moment.

C[D] = E (xᵀDx) xxᵀ is all that the inputs have to do with the learning of quadratic networks, and C_G[D] = 2ΣDΣ +
tr(DΣ)Σ is what it would be for x ~ N(0, Σ), Σ = E xxᵀ (means of x belong to Σ). Of centred units both lose ⟨D, Σ⟩Σ.
With

    E = C_G^{−½} (C − C_G) C_G^{−½},   ε = ‖E‖,

every form D has ⟨D, C[D]⟩ between 1 + λ_min(E) and 1 + λ_max(E) times ⟨D, C_G[D]⟩, so that |L − L_G| ≤ ε L_G at the
same weights (derived here). The best scalar fit C ≈ γ C_G, least squares in the norm that makes C_G the identity, is
the mean eigenvalue of 1 + E. In whitened coordinates x = Σ^{½}z, z of dimension r (that of the range of Σ), C_G is 2 on
forms without trace and 2 + r on the identity (centred: 2 on both), and the trace that this mean takes is a sum over
‖z‖⁴ alone (derived here):

    γ = E‖z‖⁴ / [r(r + 2)],   centred units: (E‖z‖⁴ − r) / [r(r + 1)].

The former is the γ of rotation-invariant laws, whose flows are exactly Gaussian ones by another clock. No matrix of
d⁴ entries is formed: the ends of the spectrum are found by Lanczos' method, which applies C.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.covariance import range_basis
from dynamics.errors import ComputationError
from dynamics.population.fourth_moment import CentredMoment, FourthMoment, MappedMoment
from dynamics.population.triangles import smat, svec

DENSE = 300  # products of inputs up to which all eigenvalues are computed
DIGITS = 1e-7  # relative accuracy of the ends of the spectrum beyond that
LANCZOS = 40  # vectors that are kept at a time


@dataclass(frozen=True)
class Gaussianity:
    """How far a fourth moment is from the Gaussian one.

    Parameters
    ----------
    dimension : int
        r, that of the range of Σ.
    gamma : float
        γ of the best scalar fit.
    lowest, highest : float
        Ends of the spectrum of C_G^{−½}(C − C_G)C_G^{−½}; at least −1.
    """

    dimension: int
    gamma: float
    lowest: float
    highest: float

    @property
    def products(self) -> int:
        """Number r(r + 1)/2 of products of two inputs."""
        return self.dimension * (self.dimension + 1) // 2

    @property
    def bound(self) -> float:
        """ε: |L − L_G| ≤ ε L_G at the same weights."""
        return max(-self.lowest, self.highest, 0.0)


def gaussianity(moment: FourthMoment, second: Array | None, *, centred: bool = False) -> Gaussianity:
    """Compare C with the fourth moment of Gaussian inputs that have the same second moment.

    Parameters
    ----------
    moment : FourthMoment
        C of the inputs themselves.
    second : (d, d) array or None
        Σ = E xxᵀ, which may be singular; None is the identity.
    centred : bool
        For centred units, φ = z² − wᵀΣw.

    Raises
    ------
    ComputationError
        If the ends of the spectrum do not converge.
    """
    whitened = moment if second is None else MappedMoment(moment, whitening(second))
    r = whitened.inputs
    quartic = float(np.trace(whitened(np.eye(r))))  # E‖z‖⁴
    gamma = (quartic - r) / (r * (r + 1)) if centred else quartic / (r * (r + 2))
    if centred:
        whitened = CentredMoment(whitened, np.eye(r))
    lowest, highest = _ends(_Ratio(whitened, centred))
    return Gaussianity(r, gamma, lowest, highest)


def whitening(second: Array) -> Array:
    """F (r, d) with z = Fx of second moment 1, for the r directions in which inputs vary."""
    basis = range_basis(second)
    Sigma = second if basis is None else basis.T @ second @ basis
    lam, E = np.linalg.eigh(Sigma)
    F = (E / np.sqrt(lam)).T
    return np.asarray(F if basis is None else F @ basis.T)


@dataclass(frozen=True)
class _Ratio:
    """C_G^{−½} C C_G^{−½} = 1 + E on symmetric matrices (r, r), in whitened coordinates."""

    moment: FourthMoment
    centred: bool

    @property
    def size(self) -> int:
        """Number p = r(r + 1)/2 of products of inputs."""
        r = self.moment.inputs
        return r * (r + 1) // 2

    def __call__(self, D: Array) -> Array:
        """Of matrices (…, r, r)."""
        return self._root(self.moment(self._root(D)))

    def _root(self, D: Array) -> Array:
        """C_G^{−½}[D]: 1/√2 on forms without trace, 1/√(2 + r) on the identity (centred: 1/√2)."""
        r = D.shape[-1]
        scaled = D / np.sqrt(2)
        if not self.centred:
            mean = np.einsum("...ii->...", D) / r * (1 / np.sqrt(2 + r) - 1 / np.sqrt(2))
            np.einsum("...ii->...i", scaled)[...] += mean[..., None]
        return np.asarray(scaled)


def _ends(ratio: _Ratio) -> tuple[float, float]:
    """Lowest and highest eigenvalue of E."""
    if ratio.size <= DENSE:
        image = ratio(smat(np.eye(ratio.size)))
        lam = np.linalg.eigvalsh(svec(image))
        return float(lam[0]) - 1, float(lam[-1]) - 1
    check_memory(
        f"The spectrum over {ratio.size} products of inputs",
        8 * (LANCZOS + 8) * ratio.size,
        "keep fewer components",
    )
    highest = _largest(ratio, 0.0, 1.0)
    # 2h − (1 + E) has its largest eigenvalue between h and 2h, far from 0, to which accuracy would be relative.
    lowest = 2 * highest - _largest(ratio, 2 * highest, -1.0)
    return lowest - 1, highest - 1


def _largest(ratio: _Ratio, shift: float, factor: float) -> float:
    """Largest eigenvalue of shift + factor (1 + E), by Lanczos' method from a fixed start."""
    p = ratio.size

    def product(v: Array) -> Array:
        return shift * v + factor * svec(ratio(smat(v.ravel())))

    operator = LinearOperator((p, p), matvec=product, dtype=float)
    start = np.random.default_rng(0).standard_normal(p)  # any that is not orthogonal to what is looked for
    try:
        found = eigsh(operator, k=1, which="LA", ncv=LANCZOS, tol=DIGITS, v0=start, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        raise ComputationError(
            f"The spectrum over {p} products of inputs did not converge: keep fewer components."
        ) from error
    return float(found[0])
