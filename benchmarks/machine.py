"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from dynamics.budget import usable_cores

LIBRARIES = (
    "numpy",
    "scipy",
    "sympy",
    "torch",
    "heyoka",
    "numba",
    "jax",
    "diffrax",
    "torchdiffeq",
    "scikit-sundae",
)


def machine() -> dict[str, str]:
    """Processor, operating system, versions and the load when the benchmarks began."""
    about = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": str(usable_cores()),
        "load at the start": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    return about | {library: _version(library) for library in LIBRARIES}


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "not installed"
