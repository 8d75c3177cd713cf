"""The table of peers: every cell has its source, and what has none is shown as not looked at."""

import importlib.util
import re
from pathlib import Path, PurePosixPath

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def peers():
    """The module of docs/extensions."""
    spec = importlib.util.spec_from_file_location("peer_table", DOCS / "extensions" / "peer_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_cell_has_a_source(peers):
    """A repository at a commit of forty digits, and files with relative paths in it."""
    tools, rows = peers.table(DOCS)
    for tool in tools.values():
        assert re.fullmatch(r"[0-9a-f]{40}", tool.commit) and re.fullmatch(r"[^/]+/[^/]+", tool.repository)
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", tool.date)
    for row in rows:
        assert row.title.endswith("?") and row.ours and row.cells
        for key, cell in row.cells.items():
            assert key in tools, key
            assert cell.says.endswith(".") and cell.files, (row.title, key)
            for path in map(PurePosixPath, cell.files):
                assert not path.is_absolute() and ".." not in path.parts and path.suffix


def test_what_was_not_looked_at_says_so(peers):
    """Each question has a line for every tool, and a link for every file that was read, at its commit."""
    tools, rows = peers.table(DOCS)
    text = "\n".join(peers.rst(tools, rows))
    cells = [cell for row in rows for cell in row.cells.values()]
    assert text.count(peers.UNKNOWN) == len(rows) * len(tools) - len(cells)
    for key, tool in tools.items():
        read = [path for row in rows if key in row.cells for path in row.cells[key].files]
        assert text.count(f"{tool.repository}/blob/{tool.commit}/") == len(read)
        assert text.count(f"   * - {tool.name}\n") == len(rows)


def test_our_own_cells_link_to_pages_that_exist(peers):
    for row in peers.table(DOCS)[1]:
        for page in re.findall(r":doc:`/([^`]+)`", row.ours):
            assert (DOCS / f"{page}.rst").exists() or page == "reference/commands", page


def test_a_misspelt_key_is_refused(peers, tmp_path):
    """Rather than a cell without its source."""
    (tmp_path / "peers.toml").write_text(
        '[tools.a]\nname = "A"\nrepository = "a/b"\ncommit = "0"\ndate = "2026-01-01"\n'
        '[[rows]]\ntitle = "?"\nours = "."\n[rows.cells]\na = {says = "x.", source = ["f.md"]}\n'
    )
    with pytest.raises(TypeError, match="source"):
        peers.table(tmp_path)
