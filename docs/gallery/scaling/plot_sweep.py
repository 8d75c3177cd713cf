"""
A sweep over scales and sizes
=============================

``quadflow figure sweep sweep.nc --curves hidden --value simulate_time_to_loss
--below 20 --fit``

A sweep runs simulations, trainings or diagnoses over a grid, several random starts each, into one labelled
file. This one measures when the flow has learned the first mode, over the scale of the initial weights. See
the power law: the first plateau lasts longer in inverse proportion to the scale, because the origin is a
saddle of third order.
"""

import contextlib
import tempfile

from empirical.sweep.drawing import sweep_data
from figures.sweep import scaling_curves
from quadflow.cli import run

sweep = (
    "sweep simulate --teacher 4,2,1 --inputs 6 --vary init-scale=1e-3:1e-1:5:log --vary hidden=4,8"
    " --until-loss 19 --t-end 500 --replicates 5 --workers 0"
)
with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
    run([*sweep.split(), "--output", "sweep.nc"])
    data = sweep_data(
        "sweep.nc", curves="hidden", value="simulate_time_to_loss", below=20, fit=True
    )

figure = scaling_curves(data)
