"""quadflow under one name: `import quadflow as qf`.

Everything public of `dynamics` (the theory), `empirical` (real networks) and `figures`, each imported when it is first
asked for; the command line is in `quadflow.cli`. The table of contents is `__init__.pyi`.
"""

from importlib import import_module
from typing import Any

FLOORS = ("dynamics", "empirical", "figures")


def __getattr__(name: str) -> Any:
    """A public name of one of the floors, or the version."""
    if name == "__version__":
        from importlib.metadata import version  # a tenth of a second, which `quadflow --help` has no use for

        return version("quadflow")
    for floor in FLOORS:
        package = import_module(floor)
        if name in package.__all__:
            value = globals()[name] = getattr(package, name)  # next time it is found without asking
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """All public names."""
    return sorted({"__version__", *(name for floor in FLOORS for name in import_module(floor).__all__)})
