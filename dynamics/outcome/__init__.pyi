from .diagnosis import diagnose as diagnose
from .reached_minimum import ReachedMinimum as ReachedMinimum
from .reached_minimum import reached_minimum as reached_minimum
from .resting_level import RestingLevel as RestingLevel
from .resting_level import least_loss as least_loss
from .resting_level import resting_level as resting_level
from .verdict import Diagnosis as Diagnosis
