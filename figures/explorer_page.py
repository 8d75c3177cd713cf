"""The explorer: a web page in which initial weights and teacher are moved by hand."""

from __future__ import annotations

from markupsafe import Markup

from dynamics.explorer_models import ExplorerModels
from dynamics.files.formats import RESULT, format_name
from figures.web_page import render_page


def explorer_page(models: ExplorerModels) -> str:
    """The page as one HTML document that needs neither files nor network.

    Parameters
    ----------
    models : ExplorerModels
        Equations, stationary points and initial weights; see `dynamics.explorer_models`.
    """
    return render_page(
        "explorer.html",
        models=Markup(models.script),
        starts=models.starts,
        largest={"hidden": models.hidden, "inputs": models.inputs},
        result_format=format_name(RESULT),
    )
