"""To which unit the numbers in a file were rounded when it was written.

A matrix of rank 3 that was saved with six digits has full rank: the other eigenvalues are the rounding, and no modes.
How large they may be follows from the unit of the last digit that is written.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from dynamics.matrices import rounding_of

TYPED_DIGITS = 3  # numbers as short as 0.5 or 0.25 were typed: they are meant exactly
SEPARATORS = re.compile(r"[\s,;]+")


def rounding_unit(path: str | Path) -> float:
    """Unit in the last place of the largest number in a `.npy` or text file; 0.0 where the numbers are exact.

    Whole numbers are exact, and so is a text whose numbers have at most three significant digits. Anything that is no
    number is passed over: whether the file is a matrix is for others to say.
    """
    path = Path(path)
    if path.suffix.lower() == ".npy":
        return rounding_of(np.load(path, mmap_mode="r"))
    return rounding_of_text(path.read_text(encoding="utf-8-sig", errors="replace"))


def rounding_of_text(text: str) -> float:
    """The same of the numbers in a text; what follows a # in a line is a comment.

    Fixed decimals (``%.6f``) and significant digits (``%.6g``, ``%.6e``) come to the same for the largest number: it
    has as many digits as any, and its last one is the coarsest unit.
    """
    digits, largest, whole = 0, -(10**9), True
    for word in SEPARATORS.split(" ".join(line.partition("#")[0] for line in text.splitlines())):
        try:
            number = Decimal(word)
        except InvalidOperation:
            continue
        if not number.is_finite() or not number:
            continue
        digits = max(digits, len(number.as_tuple().digits))
        largest = max(largest, number.adjusted())
        whole = whole and number == number.to_integral_value()
    if whole or digits <= TYPED_DIGITS:
        return 0.0
    return float(Decimal(1).scaleb(largest - digits + 1))
