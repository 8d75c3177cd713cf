"""The link of the explorer: the page opened from it shows the same state, and hostile links are refused."""

FULL = "d=4&K=5&phi=centred&lambda=4,-2.5,1,0.3,-1&start=random&seed=2&scale=0.2&W=0.1:0.7,4.3:-1.25&a=1:-0.4&rho=0.01"
STATE = "const {W, a, ...rest} = explorer.state; return rest"


def open_link(browser, page, link):
    """Load the page anew from an address, as a reader of the link does."""
    browser.driver.get("about:blank")
    browser.driver.get(f"{page.as_uri()}#{link}")
    browser.settle()


def notice(browser):
    return browser.run("return document.getElementById('notice').textContent")


def test_the_page_opened_from_a_shared_link_shows_the_same_state(explorer, explorer_page):
    """Operated by hand, copied, opened anew: state, weights, curve and points are the same to the last bit."""
    for name, value in {
        **{"inputs": "4", "hidden": 5, "activation": "centred", "start": "random", "seed": "2"},
        **{"eigenvalue-1": -2.5, "scale": -0.7, "decay": 0.1, "unit": "4", "mode": "3", "start-a": 0.123456},
        **{"start-p": -1.1},
    }.items():
        explorer.set(name, value)
    explorer.drag("handle", 33, -21)
    explorer.run("document.querySelectorAll('#signs button')[1].click()")
    explorer.set("t-end", 0.7)
    explorer.run("document.getElementById('share').click()")
    explorer.settle()
    link = explorer.run("return location.href").partition("#")[2]
    before = explorer.run("return explorer")
    assert before["state"]["moved"]["a"].keys() == {"1", "4"}
    assert len(before["curve"]["times"]) > 100
    assert explorer.run("return document.getElementById('link').value").endswith(f"#{link}")
    assert "link to this state" in notice(explorer)
    open_link(explorer, explorer_page, link)
    after = explorer.run("return explorer")
    assert after == before
    assert notice(explorer) == ""


def test_the_address_follows_the_state(explorer):
    """Also without the button; a page as it opens has none."""
    assert explorer.run("return location.hash") == ""
    explorer.set("start-a", 0.25)
    pause = "setTimeout(arguments[0], LINK_PAUSE + 100)"
    explorer.driver.execute_async_script(pause)
    assert "&a=0:0.25&" in explorer.run("return location.hash")
    explorer.run("document.getElementById('reset').click()")
    explorer.driver.execute_async_script(pause)
    assert explorer.run("return location.hash === `#${writeLink(DEFAULTS)}`")


def test_another_link_in_the_same_tab(explorer):
    explorer.run("location.hash = arguments[0]", FULL)
    explorer.settle()
    state = explorer.run("return explorer.state")
    assert (state["inputs"], state["hidden"], state["activation"], state["decay"]) == (4, 5, "centred", 0.01)
    assert state["eigenvalues"] == [4, -2.5, 1, 0.3, -1, 0.2]
    assert (state["W"][0][1], state["W"][4][3], state["a"][1]) == (0.7, -1.25, -0.4)
    start = explorer.run("return STARTS['5,4'][2]")
    assert state["W"][0][0] == 0.2 * start["W"][0][0]
    assert state["a"][0] == 0.2 * start["a"][0]


def test_links_are_read_as_they_are_written(explorer):
    """300 states at random, weights of all sizes: `readLink(writeLink(state))` is the state, number by number."""
    wrong = explorer.run(
        """
        let seed = 1;
        const uniform = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
        const below = (n) => Math.floor(n * uniform());
        const weight = () => (uniform() - 0.5) * 10 ** -below(12);
        const wrong = [];
        for (let n = 0; n < 300; n++) {
          const s = structuredClone(DEFAULTS);
          s.inputs = 1 + below(6); s.hidden = 1 + below(6); s.unit = below(s.hidden); s.mode = below(s.inputs);
          s.activation = Object.keys(FLOWS)[below(2)]; s.start = ["aligned", "random"][below(2)]; s.seed = below(6);
          s.scale = 10 ** (-2 * uniform()); s.decay = uniform() ** 2; s.automatic = uniform() < 0.5;
          if (!s.automatic) s.tEnd = 10 ** (4 * uniform() - 1.7);
          s.eigenvalues = s.eigenvalues.map(() => 10 * uniform() - 5);
          for (let m = below(8); m > 0; m--) {
            s.moved.W[`${below(6)}.${below(6)}`] = weight();
            s.moved.a[below(6)] = weight();
          }
          const found = readLink(writeLink(s));
          if (JSON.stringify(found) !== JSON.stringify(s)) wrong.push([writeLink(s), JSON.stringify(s)]);
        }
        return wrong;
        """
    )
    assert wrong == []


HOSTILE = {  # link → what the sentence about it says
    "K=7": "The link says K = “7”, but it must be a whole number from 1 to 6.",
    "K=-1": "K = “-1”, but it must be a whole number",
    "K=3&K=4": "“K=4”, but must say each of d, K",
    "lambda=1,2,x": "lambda = “1,2,x”, but it must be at most 6 numbers from -5 to 5.",
    "lambda=1,2,3,4,5,1,2": "at most 6 numbers",
    "lambda=NaN": "numbers from -5 to 5",
    "a=0:Infinity": "weights from -5 to 5, each place once, from 0 to 5.",
    "a=0:1e9": "weights from -5 to 5",
    "a=__proto__:1": "each place once, from 0 to 5",
    "W=0.9:1": "each place once, from 0.0 to 5.5.",
    "W=0:1": "each place once",
    "W=0.0:1,0.0:2": "each place once",
    "W=0.0:1,00.0:2": "each place once",
    "W=0.0": "each place once",
    "W=": "each place once",
    "phi=constructor": "it must be quadratic or centred.",
    "start=<img src=x onerror=alert(1)>": "each of d, K",
    "<script>alert(1)</script>": "each of d, K",
    "javascript:alert(1)": "“javascript:alert(1)”",
    "__proto__=1": "“__proto__=1”",
    "toString=1": "“toString=1”",
    "unit=3": "unit = “3”, but it must be a whole number from 0 to 2.",
    "t=1e400": "a number from 0.01 to 2000",
    "rho=0x10": "a number from 0 to 1",
    "%F0%9F%98": "each of d, K",
    "d=1.5": "d = “1.5”, but it must be a whole number from 1 to 6.",
    "K=0": "K = “0”, but it must be a whole number",
    "d=null": "a whole number from 1 to 6",
    "rho=-1": "a number from 0 to 1",
    "d=3&" + "a" * 5000: "The link has 5004 characters, but must have at most 4000.",
}


def test_hostile_links_are_refused_in_one_sentence(explorer, explorer_page):
    """The page shows its own state; what the link says is text and nothing else, also when the page opens with it."""
    own = explorer.run(STATE)
    for link, words in HOSTILE.items():
        explorer.run("location.hash = arguments[0]", link)
        explorer.settle()
        told = notice(explorer)
        assert words in told, link
        assert told.endswith("The page shows its own start instead.")
        assert told.count(". ") == 1  # one sentence about the link
        assert explorer.run("return document.getElementById('notice').childElementCount") == 0
        assert explorer.run(STATE) == own
    open_link(explorer, explorer_page, "K=7&<img src=x onerror=alert(1)>")
    assert "each of d, K" in notice(explorer)
    assert explorer.run(STATE) == own


def test_units_keep_what_was_dragged(explorer):
    """K and d change and come back; the others are those of the start; another start takes all back."""
    explorer.set("start", "random")
    explorer.set("unit", "2")
    explorer.set("start-a", -0.5)
    explorer.set("start-p", 0.75)
    for K in (4, 2, 3, 6):
        explorer.set("hidden", K)
        state = explorer.run("return explorer.state")
        start = explorer.run(f"return STARTS['{K},3'][0]")
        moved = K > 2
        assert state["a"] == [-0.5 if moved and k == 2 else 0.03 * start["a"][k] for k in range(K)]
        assert state["W"][K - 1][1] == 0.03 * start["W"][K - 1][1]
        if moved:
            assert state["W"][2][0] == 0.75
    explorer.set("inputs", "5")
    assert explorer.run("return [explorer.state.a[2], explorer.state.W[2][0]]") == [-0.5, 0.75]
    explorer.set("seed", "1")
    assert explorer.run("return explorer.state.a") == [
        0.03 * a for a in explorer.run("return STARTS['6,5'][1].a")
    ]
