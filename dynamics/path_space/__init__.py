"""Path space: the coordinates of a network that positive rescaling of its hidden units leaves unchanged.

A bias-free network of layers W_l (n_l, n_{l−1}), l = 1 … L, with an activation homogeneous of degree h computes
the same function after W_l → c W_l on the edges into a hidden unit and W_{l+1} → W_{l+1}/c^h on those out of it.
For h = 1 the products of weights along the paths from inputs to outputs do not change; they are not
independent, and a basis holds m − H of them (m edges, H hidden units; Meng et al., *G-SGD*, ICLR 2019).

The basis used here needs one skeleton edge in(v) into and one out(v) out of every hidden unit v, chosen freely.
Following the in-edges back to the inputs and the out-edges on to the outputs, every edge e = (u → v) lies on

    p(e) = in-chain of u,  e,  out-chain of v,

and only p(in(v)) = p(out(v)) =: s(v) coincide. That leaves m − H paths; they span all others, because the path
along e_1 … e_L through the hidden units v_1 … v_{L−1} is Σ_l p(e_l) − Σ_l s(v_l) as a vector of edge counts, so
layers may have any widths (derived here; the paper's construction needs equally wide hidden layers).
For h > 1 a path branches into h copies at every unit, and the same holds with these multiplicities.

Nothing in this asks that two units be joined by one edge only, nor that paths begin at the inputs. So it holds for
channels of convolutions, which are rescaled as a whole and joined by all entries of a kernel, and for biases, which are
edges from a constant 1: a path of their own begins there (`Wiring`). Pooling and positions go with their channel.
"""

from dynamics.path_space.coordinates import SkeletonCrossing as SkeletonCrossing
from dynamics.path_space.coordinates import path_gradient as path_gradient
from dynamics.path_space.coordinates import path_step as path_step
from dynamics.path_space.coordinates import path_values as path_values
from dynamics.path_space.rebasing import RebasedStep as RebasedStep
from dynamics.path_space.rebasing import change_basis as change_basis
from dynamics.path_space.rebasing import rebase as rebase
from dynamics.path_space.rebasing import rebased_step as rebased_step
from dynamics.path_space.skeleton import Skeleton as Skeleton
from dynamics.path_space.wiring import CONSTANT as CONSTANT
from dynamics.path_space.wiring import Wiring as Wiring
