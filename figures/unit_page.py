"""The page of one unit: its weights move by hand, for several activations, against one teacher unit."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from figures.web_page import render_page


def unit_page(script: str, labels: Mapping[str, str]) -> str:
    """The page as one HTML document that needs neither files nor network.

    Parameters
    ----------
    script : str
        JavaScript that defines ``KERNELS``; see `dynamics.unit_models`.
    labels : mapping activation → str
        What the chooser calls them.
    """
    return render_page("unit.html", kernels=Markup(script), labels=dict(labels))
