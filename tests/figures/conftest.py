"""Real pages in a real browser: headless Chromium, driven through Selenium."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for drawn.py

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "no-proxy-server")


class Browser:
    """A driver and what the tests of pages ask of it."""

    PHONE, DESKTOP = (390, 844), (1280, 900)

    def __init__(self, driver):
        self.driver = driver

    def open(self, path, size=DESKTOP):
        """Load a file; headless windows have a least width, emulated devices have not."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.scheme("light")
        self.complaints()
        self.driver.get(path.as_uri())
        self.settle()

    def scheme(self, name):
        """Prefer light or dark."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def run(self, script, *arguments):
        """Value of a JavaScript function body."""
        return self.driver.execute_script(script, *arguments)

    def settle(self):
        """Wait until what was asked for is drawn: two frames."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));"
        )

    def press(self, *keys):
        """Press keys on whatever has the focus; a tuple is a chord."""
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            *held, last = key if isinstance(key, tuple) else (key,)
            chain = ActionChains(self.driver)
            for modifier in held:
                chain.key_down(modifier)
            chain.send_keys(last)
            for modifier in held:
                chain.key_up(modifier)
            chain.perform()
        self.settle()

    def drag(self, element_id, dx, dy):
        """Move an element by so many pixels with the mouse."""
        from selenium.webdriver.common.action_chains import ActionChains

        element = self.driver.find_element("id", element_id)
        ActionChains(self.driver).click_and_hold(element).move_by_offset(dx, dy).release().perform()
        self.settle()

    def set(self, element_id, value):
        """Give a control a value, as a person would, with the event that follows."""
        self.run(
            "const control = document.getElementById(arguments[0]);"
            "if (control.type === 'checkbox') control.checked = arguments[1]; else control.value = arguments[1];"
            "control.dispatchEvent(new Event('input', {bubbles: true}));",
            element_id,
            value,
        )
        self.settle()

    def complaints(self):
        """Errors and warnings on the console since the last call."""
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]

    def requests(self):
        """What the page has asked the network or the disk for, itself aside."""
        return self.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")

    def overflow(self):
        """Pixels by which the page is wider than the screen."""
        return self.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture(scope="session")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver", reason="Selenium is not installed")
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    driver_program = shutil.which("chromedriver")
    if program is None or driver_program is None:
        pytest.skip("Chromium or its driver is not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(driver_program))
    driver.set_script_timeout(60)
    yield Browser(driver)
    driver.quit()


@pytest.fixture(scope="session")
def explorer_page(tmp_path_factory):
    """The explorer as a file, opened by name as a person would."""
    pytest.importorskip("plotly", reason="plotly is not installed")
    from dynamics.explorer_models import explorer_models
    from figures.explorer_page import explorer_page

    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    path.write_text(explorer_page(explorer_models()), encoding="utf-8")
    return path


@pytest.fixture
def explorer(browser, explorer_page):
    """The page as it opens; at the end of each test it must not have complained or asked for anything."""
    browser.open(explorer_page)
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == []
