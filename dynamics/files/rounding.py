"""To which unit the numbers in a file were rounded when it was written.

A matrix of rank 3 that was saved with six digits has full rank: the other eigenvalues are the rounding, and no modes.
How large they may be follows from the unit of the last digit that is written.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from dynamics.files.arrays import Unusable
from dynamics.files.tables import COMMENT, numbers_of
from dynamics.matrices import PRINTED, TYPED_DIGITS, rounding_of

# numbers as short as 0.5 or 0.25 were typed: they are meant exactly,
PRINTED_DECIMALS = (
    3  # unless `PRINTED` numbers all have the same decimals, so many: then a program wrote them
)
SEPARATORS = re.compile(r"[\s,;]+")


def rounding_unit(path: str | Path) -> float:
    """Unit in the last place of the largest number in a `.npy` or text file; 0.0 where the numbers are exact.

    Whole numbers are exact, and so is a text whose numbers have at most three significant digits; but not 16 numbers
    and more that all have the same three decimals or more, as of ``%.3f``. Anything that is no number is passed over:
    whether the file is a matrix is for others to say.
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
    digits, largest, whole, decimals = 0, -(10**9), True, list[int]()
    for word in _words(text):
        try:
            number = Decimal(word)
        except InvalidOperation:
            continue
        if not number.is_finite():
            continue
        decimals.append(-int(number.as_tuple().exponent))
        if not number:
            continue
        digits = max(digits, len(number.as_tuple().digits))
        largest = max(largest, number.adjusted())
        whole = whole and number == number.to_integral_value()
    printed = len(decimals) >= PRINTED and len(set(decimals)) == 1 and decimals[0] >= PRINTED_DECIMALS
    if whole or (digits <= TYPED_DIGITS and not printed):
        return 0.0
    return float(Decimal(1).scaleb(largest - digits + 1))


def _words(text: str) -> list[str]:
    """The entries of a table, without names of rows and columns, which may be numbers; of other texts all words."""
    try:
        return numbers_of(text)
    except Unusable:
        return SEPARATORS.split(" ".join(line.partition(COMMENT)[0] for line in text.splitlines()))
