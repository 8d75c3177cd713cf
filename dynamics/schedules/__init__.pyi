from .families import FAMILIES as FAMILIES
from .families import Family as Family
from .families import Parameter as Parameter
from .rate_curve import RateCurve as RateCurve
from .schedule import CONSTANT as CONSTANT
from .schedule import Schedule as Schedule
from .schedule import chosen_schedule as chosen_schedule
