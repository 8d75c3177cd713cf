"""Seeds of the data, streams of their own: data must not repeat the numbers that made the initial weights."""

from __future__ import annotations

import numpy as np
import torch

from dynamics.validation import validate_count


def data_seed(seed: int, *stream: int) -> int:
    """Seed for PyTorch of all data, or of one stream of them."""
    words = [validate_count("seed", seed, minimum=0), 1, *stream]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)


def data_generator(device: torch.device | str, seed: int, *stream: int) -> torch.Generator:
    """Generator with this seed."""
    return torch.Generator(device).manual_seed(data_seed(seed, *stream))
