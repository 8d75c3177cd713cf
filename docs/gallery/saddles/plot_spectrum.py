"""
The Hessian from saddle to saddle
=================================

``quadflow figure spectrum``

Above the loss, below it all eigenvalues of its Hessian and how many of them are negative, the index. See that on
every plateau they are those of the stationary point in the catalogue (black bars), though it only passes by: with
K units of fixed second layer and R modes, (K − r)(R − r) of them are negative once r modes are learned, here
9, 4, 1, 0. Each jump of the loss uses up directions of descent, and a saddle is left along the steepest. The largest
eigenvalue, the sharpness, rises where the first mode is learned and then stays: it is that mode's, and sets the
largest stable step 2/sharpness of gradient descent for all the rest of the way. Between plateaus the index may
rise for a moment, as the weights are then near no stationary point. As zero counts what is below 1/200 of the
largest eigenvalue (``--zero``).
"""

from dynamics import Problem, Student, Teacher
from dynamics.curvature import saddle_spectrum
from figures import animate
from figures.spectrum import spectrum_figure

teacher = Teacher.from_eigenvalues([5, 2, 0.8], inputs=5)
student = Student.initialise(hidden=3, inputs=5, scale=1e-3, seed=1, second_layer="fixed")

curves = saddle_spectrum(Problem(teacher, student, "centred"), t_end=4)
figure = spectrum_figure(curves)

# %%
# As it happens, ``--output spectrum.gif``:

animation = animate("spectrum", curves, seconds=5, frames_per_second=12)

# %%

print(curves.summary())
