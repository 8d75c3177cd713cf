"""
Which saddle leads to which
===========================

``quadflow figure saddle-graph``

Stationary points by the number of learned modes; an arrow is an unstable direction that leads from one to the
next, with its growth rate. The thick path is that of one network trained from small weights. See that it
learns the strongest missing mode at every saddle: ∅, {1}, {1,2}, {1,2,3}.
"""

from dynamics import Problem, Student, Teacher
from dynamics.stationary import fixed_points
from dynamics.stationary.connections import saddle_graph, visited
from empirical import train
from figures.saddle_graph import saddle_graph_figure

teacher = Teacher.from_eigenvalues([4, 2, 1])
start = Problem(teacher, Student.initialise(hidden=3, inputs=3, scale=0.03, seed=1))

run = train(start, steps=10_000, step=4e-3, batch=256, records=400, seed=1)
stages = visited(run, start, seed=0)
figure = saddle_graph_figure(
    saddle_graph(fixed_points(start)), [stage.learned_modes for stage in stages]
)
