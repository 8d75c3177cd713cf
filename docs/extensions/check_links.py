"""Check every link between the built pages: its file exists, and its anchor too.

Usage: python check_links.py FOLDER
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit


class Page(HTMLParser):
    """Anchors that a page has, and what it refers to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.targets: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Collect identifiers, links, pictures, scripts and styles."""
        for name, value in attributes:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value or "")
            elif name in ("href", "src") and value:
                self.targets.add(value)


def broken_links(folder: Path) -> list[str]:
    """What does not hold, one line each."""
    pages = {path.resolve(): Page(path) for path in sorted(folder.rglob("*.html"))}
    broken = []
    for path, page in pages.items():
        for target in sorted(page.targets):
            if urlsplit(target).scheme or target.startswith("//"):
                continue
            file, anchor = urldefrag(unquote(target))
            goal = (path.parent / file.split("?")[0]).resolve() if file else path
            if not goal.exists():
                broken.append(f"{path.name}: {target} does not exist")
            elif anchor and goal in pages and anchor not in pages[goal].anchors:
                broken.append(f"{path.name}: {target} has no such anchor")
    return broken


if __name__ == "__main__":
    found = broken_links(Path(sys.argv[1]))
    print("\n".join(found) or "all links hold")
    sys.exit(bool(found))
