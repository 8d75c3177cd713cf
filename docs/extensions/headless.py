"""A headless Chromium for the checks of the built pages; without one they are skipped."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage")
TYPESET = "const done = arguments[0]; (window.MathJax?.startup?.promise ?? Promise.resolve()).then(() => done());"


def missing() -> str | None:
    """What is not installed, or nothing."""
    if not any(map(shutil.which, PROGRAMS)) or not shutil.which("chromedriver"):
        return "no Chromium with its driver (apt-get install chromium chromium-driver)"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "no Selenium (pip install selenium)"
    return None


def check(faults: Callable[[Path], list[str]], subject: str, praise: str) -> None:
    """Run a check of the pages in the folder that the command line names: its faults and status 1, or what is well."""
    if reason := missing():
        print(f"{subject} not checked: {reason}")
        sys.exit(0)
    found = faults(Path(sys.argv[1]))
    print("\n".join(found) or praise)
    sys.exit(bool(found))


@contextmanager
def browser(width: int, height: int) -> Iterator[Any]:
    """A driver whose pages have this size, as a telephone of that width would show them."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, PROGRAMS)))
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options, service)
    driver.set_script_timeout(120)
    size = {"width": width, "height": height, "deviceScaleFactor": 1}
    try:
        metrics = size | {"mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        yield driver
    finally:
        driver.quit()


def load(driver: Any, page: Path) -> None:
    """Show a page and wait until its formulas are set."""
    driver.get(page.resolve().as_uri())
    driver.execute_async_script(TYPESET)
