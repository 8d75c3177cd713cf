"""What a proof by interval arithmetic says about one stationary point."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Certificate:
    """What interval arithmetic has proven about one point.

    Parameters
    ----------
    certified : bool
        Whether a stationary point exists within `radius`, and has the signature of the catalogue.
    radius : float or None
        Distance, in the space of the trained parameters, between the given weights and the true point. Weights
        are written in the eigenbasis of the whitened teacher, which for Σ = I does not change distances.
    loss : tuple of float or None
        Bounds on the loss at the true point.
    index, nullity, positive : int or None
        Proven signature of its Hessian.
    reason : str
        What could not be proven.
    """

    certified: bool
    radius: float | None = None
    loss: tuple[float, float] | None = None
    index: int | None = None
    nullity: int | None = None
    positive: int | None = None
    reason: str = ""
