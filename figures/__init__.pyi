from .learning_curve import learning_curves as learning_curves
from .style import paper as paper
from .style import save_figure as save_figure
