"""Check that the search of the built pages knows every word of the glossary, and leads to what it says there.

Usage: python check_search.py FOLDER
"""

from html.parser import HTMLParser
from pathlib import Path

from headless import browser, check, load

FIRST = 5  # results among which the page must be
# The search of the page itself, without the drawing of its results: the pages found, the best last as it draws them.
SEARCH = """
const parsed = Search._parseQuery(arguments[0]);
return Search._performSearch(...parsed).map((result) => result[0]).reverse();
"""


class Terms(HTMLParser):
    """Terms of a glossary, each with the pages that its entry links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.pages: dict[str, set[str]] = {}
        self._terms: list[str] = []
        self._inside = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Terms follow each other, then comes what they have in common."""
        if tag == "dt":
            if self._inside == "dd":
                self._terms = []
            self._terms.append("")
        if tag in ("dt", "dd"):
            self._inside = tag
        target = dict(attributes).get("href") or ""
        if tag == "a" and self._inside == "dd" and ".html" in target:
            for term in self._terms:
                self.pages.setdefault(term, set()).add(target.partition(".html")[0])

    def handle_data(self, data: str) -> None:
        """The words of a term, without the mark of its link."""
        if self._inside == "dt" and self._terms and data.strip("¶\n "):
            self._terms[-1] += data.strip("¶\n ")

    def handle_endtag(self, tag: str) -> None:
        """A term has ended: the words that follow are none."""
        if tag == "dt":
            self._inside = "after dt"


def lost_words(folder: Path) -> list[str]:
    """Terms whose search leads neither to the glossary nor to a page that it names, one line each."""
    lost = []
    with browser(1280, 900) as driver:
        load(driver, folder / "search.html")
        for term, pages in Terms(folder / "glossary.html").pages.items():
            found = driver.execute_script(SEARCH, term)[:FIRST]
            if not {"glossary", *pages} & {*found}:
                lost.append(f"{term!r} leads to {', '.join(found) or 'nothing'}")
    return lost


if __name__ == "__main__":
    check(lost_words, "the search is", "the search knows all words of the glossary")
