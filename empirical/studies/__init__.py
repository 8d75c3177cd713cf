"""Studies on data: models and optimisers compared fairly, with intervals.

- `study`: what a study is; `relinear`, `gsgd`, `hannet`: the three there are, and the table of them
- `tasks`: samples in three parts, in units of their own
- `contenders`: what is compared
- `evaluation`: one training; `findings`: what all of them say
"""

from empirical.studies.findings import Findings as Findings
from empirical.studies.findings import run_study as run_study
from empirical.studies.study import Study as Study
from empirical.studies.table import STUDIES as STUDIES
from empirical.studies.table import find_study as find_study
