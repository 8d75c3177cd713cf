"""The table of contents: what the package promises can be loaded from it."""

import importlib

import empirical


def test_every_name_is_there():
    """Loaded anew, as in a fresh interpreter: the table is read when the package is."""
    package = importlib.reload(empirical)
    assert {"Recorder", "compare", "train"} <= set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        assert getattr(package, name).__name__.rpartition(".")[2] == name
