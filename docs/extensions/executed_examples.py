"""The directives `shell` and `python`: what a page shows is what happened when the documentation was built.

Below the commands or lines stands what they printed, and the figure they wrote, each under a word that says so. All
examples of a page run one after the other in one empty folder of their own, and its Python examples share one
namespace, as for a reader who types them. A command that fails, unless it is announced, fails the build.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from dark_copies import dark_copies
from folded import fold

LONGEST = 120  # seconds an example may take
COLUMNS = re.compile(r"\S {2,}\S")  # what would not be read if its lines were broken
QUADFLOW = str(Path(__file__).with_name("dark_copies.py"))  # as it is run here


class Example(SphinxDirective):
    """What both directives share: the folder, the output and a figure that was written."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "figure": directives.unchanged,  # show this file, which the example writes
        "alt": directives.unchanged,
        "fails": directives.nonnegative_int,  # the exit status to expect
        "quiet": directives.flag,  # do not show the output
        "folded": directives.unchanged_required,  # the code, below what came of it, under this title
    }

    @property
    def folder(self) -> Path:
        """Where the examples of this page run; emptied when the page is read anew."""
        known = self.env.temp_data.setdefault("example_folder", {})
        if not known:
            path = Path(self.env.srcdir, "_build", "examples", self.env.docname)
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
            known["path"] = path
        return known["path"]

    def run(self) -> list[nodes.Node]:
        """The code, its output, and the figure."""
        code = "\n".join(self.content)
        output = self.execute(code)
        came = self.outcome("" if "quiet" in self.options else output)
        if "figure" in self.options:
            came += self.picture(self.folder / self.options["figure"])
        if (
            "folded" in self.options
        ):  # what came of it needs no word, and its code comes after
            seen = [node for node in came if "said" not in node["classes"]]
            title: list[nodes.Node] = [nodes.Text(self.options["folded"])]
            return [*seen, fold(title, [self.listing(code)], "printed")]
        return [self.listing(code), *came]

    def picture(self, path: Path) -> list[nodes.Node]:
        """The figure that was written, under its name."""
        if not path.is_file():
            raise self.error(f"{path.name} was not written")
        uri = "/" + path.relative_to(self.env.srcdir).as_posix()
        _, absolute = self.env.relfn2path(uri)
        self.env.note_dependency(absolute)
        image = nodes.image(uri=uri, alt=self.alternative(), classes=["column-figure"])
        return [said("writes", path.name), image]

    def alternative(self) -> str:
        """What those read who do not see the figure."""
        if "alt" not in self.options:
            raise self.error(
                "`:alt:` says what the figure shows to those who do not see it"
            )
        return self.options["alt"]

    def execute(self, code: str) -> str:
        """Run the code and return what it printed."""
        raise NotImplementedError

    def listing(self, code: str) -> nodes.Node:
        """The code, as a reader types it."""
        raise NotImplementedError

    def outcome(self, output: str) -> list[nodes.Node]:
        """What was printed, under a word that says so; nothing if nothing was."""
        text = output.rstrip()
        if not text:
            return []
        kinds = ["output", "columns"] if COLUMNS.search(text) else ["output"]
        block = nodes.literal_block(text, text, language="text", classes=kinds)
        return [said(self.word()), block]

    def word(self) -> str:
        """Between code and output."""
        return "prints"


class Shell(Example):
    """`.. shell::` followed by commands; a command may be continued after a backslash."""

    def execute(self, code: str) -> str:
        """Run the commands; the output of the last one is returned."""
        printed = ""
        for line in code.replace("\\\n", " ").splitlines():
            program, *arguments = shlex.split(line)
            if program != "quadflow":
                raise self.error(f"{program!r}: only quadflow is run here")
            done = subprocess.run(
                [sys.executable, QUADFLOW, *arguments],
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=LONGEST,
            )
            if done.returncode != self.options.get("fails", 0):
                raise self.error(f"{line}\nexit status {done.returncode}\n{done.stderr}")
            printed = done.stdout + (done.stderr if done.returncode else "")
        return printed

    def listing(self, code: str) -> nodes.Node:
        """As on a terminal."""
        text = "\n".join(
            f"$ {line}" if starts(line) else line for line in code.splitlines()
        )
        return nodes.literal_block(text, text, language="console", classes=["terminal"])

    def word(self) -> str:
        """Of several commands the last one has its output shown."""
        return "the last one prints" if sum(map(starts, self.content)) > 1 else "prints"


def starts(line: str) -> bool:
    """Whether a command begins here; what continues one is indented."""
    return not line.startswith(" ")


class Python(Example):
    """`.. python::` followed by a piece of a session."""

    def execute(self, code: str) -> str:
        """Execute it in the namespace of the page."""
        namespace = self.env.temp_data.setdefault(
            "example_namespace", {"__name__": "__main__"}
        )
        printed, before = io.StringIO(), Path.cwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(printed), dark_copies():
                exec(compile(code, f"<{self.env.docname}>", "exec"), namespace)
        except Exception as error:
            raise self.error(f"{type(error).__name__}: {error}") from error
        finally:
            os.chdir(before)
        return printed.getvalue()

    def listing(self, code: str) -> nodes.Node:
        """Python."""
        return nodes.literal_block(code, code, language="python")


def said(word: str, file: str = "") -> nodes.Node:
    """The word between an example and what came of it."""
    name = [nodes.Text(" "), nodes.literal(file, file)] if file else []
    return nodes.paragraph("", "", nodes.Text(word), *name, classes=["said"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.setup_extension("folded")
    app.add_directive("shell", Shell)
    app.add_directive("python", Python)
    # examples change the working directory, which every process of a parallel build has for itself
    return {"parallel_read_safe": True}
