"""Versions of what computed a result."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata

import numpy as np
import scipy


@cache
def _own_version() -> str:
    """Of the installed distribution; looking it up takes longer than a short integration."""
    try:
        return metadata.version("quadflow")
    except metadata.PackageNotFoundError:
        return "not installed"


def versions() -> dict[str, str]:
    """Versions of quadflow, Python, NumPy and SciPy."""
    return {
        "quadflow": _own_version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }
