"""All laws of the inputs: a new one is a line here."""

from dynamics.inputs.base import FAMILIES as FAMILIES
from dynamics.inputs.base import LAWS as LAWS
from dynamics.inputs.base import InputLaw as InputLaw
from dynamics.inputs.base import parse_law as parse_law
from dynamics.inputs.gaussian import GAUSSIAN as GAUSSIAN
from dynamics.inputs.independent import Independent as Independent
from dynamics.inputs.independent import Rademacher as Rademacher
from dynamics.inputs.independent import Uniform as Uniform
from dynamics.inputs.mixture import Mixture as Mixture
from dynamics.inputs.rotational import Sphere as Sphere
from dynamics.inputs.rotational import StudentT as StudentT
