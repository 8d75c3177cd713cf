"""Standard output and error: terminals that lack characters, disks that are full, readers that have gone."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import re
import sys
import unicodedata
from typing import TextIO

import click

# What stands for a character that the terminal cannot show; for others, their letter without accents, or "?"
PLAIN = {
    **{
        "→": "->",
        "←": "<-",
        "↦": "|->",
        "⇒": "=>",
        "⇔": "<=>",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "≈": "~",
        "≡": "==",
    },
    **{
        "−": "-",
        "–": "-",
        "—": "-",
        "…": "...",
        "·": "*",
        "⋅": "*",
        "×": "x",
        "±": "+/-",
        "∓": "-/+",
        "•": "*",
    },
    **{
        "½": "1/2",
        "¼": "1/4",
        "⋯": "...",
        "″": "''",
        "∩": " n ",
        "‰": " per mille",
        "≪": "<<",
        "⊗": "(x)",
        "√": "sqrt",
        "∞": "inf",
        "∂": "d",
        "∇": "grad ",
        "∫": "int ",
    },
    **{
        "∑": "Sum",
        "∏": "Prod",
        "∅": "{}",
        "∈": " in ",
        "∪": " u ",
        "ᵀ": "^T",
        "⊤": "^T",
        "‖": "||",
        "′": "'",
        "°": " deg",
    },
    **{
        "„": '"',
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "§": "section ",
        "⟨": "<",
        "⟩": ">",
        "ℓ": "l",
        "∝": "~",
    },
    **{
        "α": "alpha",
        "β": "beta",
        "γ": "gamma",
        "δ": "delta",
        "ε": "epsilon",
        "ζ": "zeta",
        "η": "eta",
        "θ": "theta",
    },
    **{
        "κ": "kappa",
        "λ": "lambda",
        "μ": "mu",
        "µ": "mu",
        "ν": "nu",
        "ξ": "xi",
        "π": "pi",
        "ρ": "rho",
        "σ": "sigma",
    },
    **{
        "τ": "tau",
        "φ": "phi",
        "χ": "chi",
        "ψ": "psi",
        "ω": "omega",
        "Γ": "Gamma",
        "Δ": "Delta",
        "Θ": "Theta",
    },
    **{"Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega"},
}
SUPERSCRIPTS = {"⁻": "-", "⁺": "+", "ⁿ": "n", "ᵗ": "t"} | {c: str(n) for n, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
POWER = re.compile(f"[{''.join(SUPERSCRIPTS)}]+")
DEGRADE = "quadflow.degrade"


def degrade(error: UnicodeError) -> tuple[str | bytes, int]:
    """Error handler of encodings: plainer characters in place of those that the encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


def plain(text: str) -> str:
    """A text in ASCII: 10⁻³ as 10^-3, characters of the table as it says, others without accents, else "?"."""
    text = POWER.sub(lambda power: "^" + "".join(SUPERSCRIPTS[c] for c in power[0]), text)
    return "".join(c if c.isascii() else PLAIN.get(c) or _letters(c) for c in text)


def _letters(character: str) -> str:
    """What remains of a character without its accents; nothing of an accent that stands alone."""
    if unicodedata.combining(character):
        return ""
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"


def degrade_streams() -> None:
    """Let standard output and error degrade what their encoding lacks, where it would raise an exception."""
    codecs.register_error(DEGRADE, degrade)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by who called; libraries that write there expect a stream
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (open until the end)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=DEGRADE)


def close_streams() -> OSError | None:
    """Write what is still buffered; returns what prevented it."""
    failure = None
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except OSError as error:
            failure = failure or error
            _discard(stream)
    return failure


def report(message: str, status: int) -> int:
    """Print one line on standard error, and return the exit status."""
    colour = False if os.environ.get("NO_COLOR") else None  # None: on a terminal only
    prefix = click.style("quadflow:", fg="red", bold=True)
    with contextlib.suppress(OSError):  # nobody can be told
        click.echo(f"{prefix} {' '.join(message.split())}", err=True, color=colour)
    return status


def _discard(stream: TextIO) -> None:
    """Send what is buffered to nowhere: Python would try to write it once more at exit, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
