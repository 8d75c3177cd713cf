from .levels import Level as Level
from .levels import plateau_level as plateau_level
