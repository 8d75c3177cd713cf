"""The two-layer student as an ordinary PyTorch module; a leading axis makes it an ensemble."""

from __future__ import annotations

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from dynamics.activations import Activation
from dynamics.errors import ProblemError
from dynamics.problem import Problem, Student
from dynamics.validation import validate_array, validate_count


class QuadraticNetwork(nn.Module):
    """Two-layer network f_o(x) = Σ_k A_ok φ(w_k·x) − β_o.

    Parameters
    ----------
    inputs, hidden, outputs : int
        d, K and O.
    activation : Activation or str
        φ, or its name in `dynamics.activations.ACTIVATIONS`.
    trainable : bool
        Whether the second layer is trained.
    covariance : (d, d) array, optional
        Input covariance Σ, for activations that depend on the variance wᵀΣw; None is the identity.
    bias : float, optional
        Every β_o; None: there is none.
    bias_trainable : bool
        Whether they are trained.
    ensemble : int, optional
        Number S of networks held, and trained, in one module. Weights then have a leading axis S.
    init_scale : float
        Entries of W start as N(0, init_scale²/d), those of A as N(0, init_scale²), from PyTorch's
        global generator; `from_student` sets them instead.
    dtype, device
        As for every PyTorch module.

    Attributes
    ----------
    W : ([S,] K, d) Parameter
    A : ([S,] O, K) Parameter
    beta : ([S,] O) Parameter or None
    """

    covariance: Tensor | None
    beta: nn.Parameter | None

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int = 1,
        *,
        activation: Activation | str = "quadratic",
        trainable: bool = True,
        covariance: ArrayLike | None = None,
        bias: float | None = None,
        bias_trainable: bool = False,
        ensemble: int | None = None,
        init_scale: float = 0.1,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        d, K, O = (
            validate_count(n, v) for n, v in (("inputs", inputs), ("hidden", hidden), ("outputs", outputs))
        )
        self.activation = Activation.parse(activation)
        lead = () if ensemble is None else (validate_count("ensemble", ensemble),)
        self.W = nn.Parameter(init_scale / d**0.5 * torch.randn(*lead, K, d, dtype=dtype, device=device))
        self.A = nn.Parameter(
            init_scale * torch.randn(*lead, O, K, dtype=dtype, device=device), requires_grad=trainable
        )
        betas = None
        if bias is not None:
            start = torch.full((*lead, O), bias, dtype=dtype, device=device)
            betas = nn.Parameter(start, requires_grad=bias_trainable)
        self.register_parameter("beta", betas)
        Sigma = (
            None
            if covariance is None
            else torch.tensor(validate_array("covariance", covariance, 2), dtype=dtype, device=device)
        )
        self.register_buffer("covariance", Sigma)

    @classmethod
    def from_student(
        cls,
        student: Student,
        *,
        activation: Activation | str = "quadratic",
        covariance: ArrayLike | None = None,
        bias: float | None = None,
        bias_trainable: bool = False,
        ensemble: int | None = None,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> QuadraticNetwork:
        """Network (or ensemble of identical copies) with the student's weights."""
        network = cls(
            student.inputs,
            student.hidden,
            student.outputs,
            activation=activation,
            trainable=student.trainable,
            covariance=covariance,
            bias=bias,
            bias_trainable=bias_trainable,
            ensemble=ensemble,
            dtype=dtype,
            device=device,
        )
        with torch.no_grad():
            network.W.copy_(torch.from_numpy(student.W.copy()))
            network.A.copy_(torch.from_numpy(student.A.copy()))
        return network

    @classmethod
    def of(
        cls,
        problem: Problem,
        *,
        ensemble: int | None = None,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> QuadraticNetwork:
        """The student of a problem with its output bias, ready to be trained; or an ensemble of copies."""
        return cls.from_student(
            problem.student,
            activation=problem.activation,
            covariance=problem.second_moment,
            bias=problem.bias.start if problem.bias else None,
            bias_trainable=problem.bias.trainable,
            ensemble=ensemble,
            dtype=dtype,
            device=device,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Outputs ([S,] B, O) for inputs ([S,] B, d)."""
        if x.shape[-1] != self.W.shape[-1]:
            raise ProblemError(
                f"The inputs have dimension {x.shape[-1]}, but the network {self.W.shape[-1]}."
            )
        # Units before samples: long contiguous rows make forward and backward pass about 1.6 times faster.
        hidden = self.activation.phi(self.W @ x.mT, self.variances())
        f = (self.A @ hidden).mT
        return f if self.beta is None else f - self.beta.unsqueeze(-2)

    def variances(self) -> Tensor | None:
        """q_k = w_kᵀΣw_k, ([S,] K, 1), where φ depends on it."""
        return (self.smoothed() * self.W).sum(-1, keepdim=True) if self.activation.uses_variance else None

    def smoothed(self) -> Tensor:
        """W Σ, ([S,] K, d)."""
        return self.W if self.covariance is None else self.W @ self.covariance
