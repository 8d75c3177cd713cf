"""Integration in time: solvers, sampling and the driver."""

from dynamics.integration.driver import DEFAULT_RTOL as DEFAULT_RTOL
from dynamics.integration.driver import EXPLICIT as EXPLICIT
from dynamics.integration.driver import IMPLICIT as IMPLICIT
from dynamics.integration.driver import LARGEST_IMPLICIT as LARGEST_IMPLICIT
from dynamics.integration.driver import METHODS as METHODS
from dynamics.integration.driver import SOLVERS as SOLVERS
from dynamics.integration.driver import Sampling as Sampling
from dynamics.integration.driver import SolverReport as SolverReport
from dynamics.integration.driver import Stop as Stop
from dynamics.integration.driver import VectorField as VectorField
from dynamics.integration.driver import choose_method as choose_method
from dynamics.integration.driver import integrate as integrate
from dynamics.integration.driver import validate_tolerance as validate_tolerance
