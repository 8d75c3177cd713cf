"""Labels that come with the inputs, as those of a data set."""

from __future__ import annotations

from dynamics.labels.base import Labels, register

GIVEN = register(Labels("data", "the labels of the data set"))
