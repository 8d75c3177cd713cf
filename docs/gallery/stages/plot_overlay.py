"""
Any activation on its flow
==========================

``quadflow figure overlay``

The population loss of every two-layer network of Gaussian inputs is known in closed form or to rounding, whatever its
activation. Here tanh, erf, GELU and cubic units learn a teacher of two units of their own kind, 2φ(x₁) + φ(x₂). See
that they rest on two plateaus (grey), one before the common direction of the teacher is learned and one before the
units separate, and that sixteen networks of each (markers) follow the flow. On the right is the mean loss of the
networks minus that of the flow of their finite step, in units of two standard errors of the mean (dark band): what is
left is chance. In at most one run of a hundred the line leaves the light band. Quadratic units are not on their flow
any more tightly: ``--activations quadratic,tanh --t-end 15,30 --step 0.005,0.02`` shows both.
"""

from dynamics import Problem, Student, Teacher
from empirical.experiments.overlay import overlays
from figures.overlay import overlay_figure

teacher = Teacher.from_eigenvalues([2, 1], inputs=4)
student = Student.initialise(hidden=4, inputs=4, scale=0.1, seed=1)
names = ["tanh", "erf", "gelu", "polynomial:0,1,0.3,0.1"]
shown = overlays(
    [Problem(teacher, student, name) for name in names],
    [30, 40, 30, 15],
    steps=[0.02, 0.02, 0.02, 0.005],
    batch=512,
    seeds=16,
    seed=1,
)
figure = overlay_figure(shown)

# %%

for overlay in shown:
    print(overlay.summary())
