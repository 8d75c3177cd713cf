"""The reference: its pages are written before the build, and public names lead to their entries."""

from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

from command_pages import FOLDER, command_pages
from python_pages import PACKAGES, public_names, python_pages


def write_pages(app: Sphinx) -> None:
    """Write the pages that changed and remove those whose subject is gone."""
    folder = Path(app.srcdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    pages = command_pages() | python_pages()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    for path in folder.glob("*.rst"):
        if path.name not in pages:
            path.unlink()


def resolve_public_name(
    app: Sphinx, env: Any, node: pending_xref, text: nodes.TextElement
) -> Any:
    """`dynamics.GradientFlow`, or `GradientFlow` alone, leads to where the class is documented."""
    if node.get("refdomain") != "py":
        return None
    full = _names().get(node["reftarget"])
    if full is None:
        return None
    domain = env.domains["py"]
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", full, node, text)


@cache
def _names() -> dict[str, str]:
    """Every way to write a public name → where it is defined."""
    names = [name for package in PACKAGES for name in public_names(package)]
    found = {name.short: name.full for name in reversed(names)}
    found |= {f"{name.package}.{name.short}": name.full for name in names}
    of_quadflow = [name for name in names if name.package in PACKAGES]
    for where in ("qf", "quadflow"):
        found |= {f"{where}.{name.short}": name.full for name in of_quadflow}
    return found


def setup(app: Sphinx) -> dict[str, bool]:
    """Write before the sources are looked for."""
    app.connect("builder-inited", write_pages)
    app.connect("missing-reference", resolve_public_name)
    return {"parallel_read_safe": True}
