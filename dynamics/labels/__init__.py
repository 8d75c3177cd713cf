"""Labels: what a teacher's output makes of an input's label, one kind a file; the order here is that of `LABELS`."""

from dynamics.labels.base import FAMILIES as FAMILIES
from dynamics.labels.base import LABELS as LABELS
from dynamics.labels.base import Labels as Labels
from dynamics.labels.base import register as register
from dynamics.labels.base import register_family as register_family

from dynamics.labels.exact import EXACT as EXACT  # isort: skip
from dynamics.labels.bernoulli import BERNOULLI as BERNOULLI  # isort: skip
from dynamics.labels.hard import HARD as HARD, HARD_AT as HARD_AT  # isort: skip
from dynamics.labels.given import GIVEN as GIVEN  # isort: skip
