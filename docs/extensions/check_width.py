"""Check that no built page is wider than a telephone: tables, formulas and code scroll by themselves.

Usage: python check_width.py FOLDER
"""

from pathlib import Path

from headless import browser, check, load

WIDTH, HEIGHT = 390, 844
# Pixels of the whole page, and the first element that sticks out of it and lies in nothing that scrolls.
MEASURE = """
const limit = document.documentElement.clientWidth;
const scrolls = (node) => node && node !== document.body
  && (["auto", "scroll", "hidden"].includes(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
const wide = [...document.body.querySelectorAll("*")].find((node) =>
  node.getBoundingClientRect().right > limit + 1 && !scrolls(node.parentElement));
return [document.documentElement.scrollWidth, wide ? `${wide.tagName} ${wide.className} ${wide.id}` : ""];
"""


def wide_pages(folder: Path, width: int = WIDTH) -> list[str]:
    """Pages that are wider than the screen, one line each."""
    found = []
    with browser(width, HEIGHT) as driver:
        for page in sorted(folder.rglob("*.html")):
            load(driver, page)
            pixels, element = driver.execute_script(MEASURE)
            if pixels > width:
                found.append(f"{page.relative_to(folder)}: {pixels} px wide, {element}")
    return found


if __name__ == "__main__":
    check(wide_pages, "widths of pages are", f"no page is wider than {WIDTH} px")
