"""
What weight decay leaves of a mode
==================================

``quadflow figure weight-decay``

With decay a mode is learned to less than the teacher has of it (dotted). How much less depends on the second
layer: where it is fixed the loss of a little is as much for every mode, a soft threshold at ρ/4a (dashed); where
it is trained too, decay costs like the power 2/3 of μ, a weak mode is not worth its price, and μ jumps from zero
(line). See that networks (markers, each the median of three) lie on both laws, and that none holds a mode below m_θ.
Between m_θ and m_g a unit that has learned a mode keeps it, though the objective would be lower without.
"""

import numpy as np

from dynamics import Problem, Student, Teacher
from empirical.experiments.weight_decay import decayed_spectra
from figures.weight_decay import weight_decay_figure

teacher = Teacher.from_eigenvalues(
    [
        0.8,
        0.75,
        0.7,
        0.65,
        0.6,
        0.55,
        0.5,
        0.45,
        0.4,
        0.35,
        0.3,
        0.25,
        0.2,
        0.15,
        0.1,
        0.05,
    ]
)
start = Problem(
    teacher,
    Student.initialise(hidden=32, inputs=16, scale=1.0, seed=1),
    "centred",
    weight_decay=0.2,
)

spectra = decayed_spectra(start, step=1e-2, batch=256, t_end=200, seeds=3, seed=1)
figure = weight_decay_figure(spectra)

# %%

np.round(np.median(spectra.trained.learned, axis=0), 3)
