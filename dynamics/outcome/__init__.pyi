from .diagnosis import diagnose as diagnose
from .resting_level import RestingLevel as RestingLevel
from .resting_level import least_loss as least_loss
from .resting_level import resting_level as resting_level
from .verdict import Diagnosis as Diagnosis
