"""
Which saddle leads to which
===========================

``quadflow figure saddle-graph``

Stationary points by the number of learned modes; an arrow is an unstable direction that leads from one to the
next, with its growth rate. The thick path is that of one network trained from small weights. See that it
learns the strongest missing mode at every saddle: ∅, {1}, {1, 2}, {1–3}. Grey arrows are slower ways down; those
that stay within a column are units which turn from a weaker mode to a stronger one.
"""

from dynamics import Problem, Student, Teacher
from empirical.experiments.saddle_path import saddle_path
from figures import animate
from figures.saddle_graph import saddle_graph_figure

teacher = Teacher.from_eigenvalues([4, 2, 1])
start = Problem(teacher, Student.initialise(hidden=3, inputs=3, scale=0.03, seed=1))

path = saddle_path(start, step=2e-3, batch=512, t_end=40, seed=1)
figure = saddle_graph_figure(path.graph, path.visited)

# %%
# The network on its way, ``--output path.gif``: at the height of its loss it waits at every saddle, and falls.

animation = animate("saddle-graph", path, seconds=5, frames_per_second=12)
