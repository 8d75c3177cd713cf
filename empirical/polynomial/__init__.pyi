from .comparison import NetworkComparison as NetworkComparison
from .comparison import compare_network as compare_network
from .module import PolynomialModule as PolynomialModule
from .run import NetworkRun as NetworkRun
from .sequential import PowerUnits as PowerUnits
from .sequential import from_sequential as from_sequential
from .sequential import to_sequential as to_sequential
from .training import train_network as train_network
