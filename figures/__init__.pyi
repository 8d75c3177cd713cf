from .animation.files import save_animation as save_animation
from .animation.film import animate as animate
from .learning_curve import learning_curves as learning_curves
from .style import paper as paper
from .style import save_figure as save_figure
