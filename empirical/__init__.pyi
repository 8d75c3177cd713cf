from .comparison import Comparison as Comparison
from .comparison import compare as compare
from .data import GaussianData as GaussianData
from .networks import QuadraticNetwork as QuadraticNetwork
from .recorder import Recorder as Recorder
from .recorder import TrainingRun as TrainingRun
from .training import TrainingDiverged as TrainingDiverged
from .training import train as train
