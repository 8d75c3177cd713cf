"""Integration in time: θ̇ = F(θ), from the contracts to the function that integrates.

- `contract`: what a vector field offers, and what a solver
- `methods`: the solvers by name; `scipy_solvers`, `tsit5`, `dop853`, `taylor`, `switching`, `stretches`: one a file
- `runge_kutta`: how explicit methods step, with `tableau`, `stages`, `step_size`, `within_step`; `compiled`: by numba
- `sampling`: where a solution is wanted; `path`: how it is collected; `report`: what the solver did
- `driver`: `integrate`; `bulk`, `bulk_steps`: many small systems at once, as columns of one array
"""

from dynamics.integration.contract import FAILED as FAILED
from dynamics.integration.contract import FINISHED as FINISHED
from dynamics.integration.contract import Leap as Leap
from dynamics.integration.contract import Method as Method
from dynamics.integration.contract import Solver as Solver
from dynamics.integration.contract import Step as Step
from dynamics.integration.contract import Stop as Stop
from dynamics.integration.contract import Switching as Switching
from dynamics.integration.contract import VectorField as VectorField
from dynamics.integration.driver import integrate as integrate
from dynamics.integration.methods import METHODS as METHODS
from dynamics.integration.methods import SOLVERS as SOLVERS
from dynamics.integration.methods import choose_method as choose_method
from dynamics.integration.report import SolverReport as SolverReport
from dynamics.integration.sampling import DEFAULT_RTOL as DEFAULT_RTOL
from dynamics.integration.sampling import Sampling as Sampling
from dynamics.integration.sampling import state_scale as state_scale
from dynamics.integration.sampling import validate_tolerance as validate_tolerance
