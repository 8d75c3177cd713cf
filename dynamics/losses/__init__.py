"""Losses: ℓ(f, y) with two derivatives, one a file; the order here is that of `LOSSES`."""

from dynamics.losses.base import FAMILIES as FAMILIES
from dynamics.losses.base import LOSSES as LOSSES
from dynamics.losses.base import Loss as Loss
from dynamics.losses.base import register as register
from dynamics.losses.base import register_family as register_family
from dynamics.losses.base import residual_loss as residual_loss

from dynamics.losses.square import SQUARE as SQUARE  # isort: skip
from dynamics.losses.log_cosh import LOG_COSH as LOG_COSH  # isort: skip
from dynamics.losses.huber import HUBER as HUBER  # isort: skip
from dynamics.losses.logistic import LOGISTIC as LOGISTIC  # isort: skip
