"""
One mode in its phase plane
===========================

``quadflow figure phase-portrait``

One unit, one mode: weight p along the mode, output weight a. The hyperbola a p² = λ is the line of global
minima. See the separatrix: starts with a < 0 inside the shaded region (p² ≤ 2a²) run into p = 0 and never
learn, because p² − 2a² is conserved and a negative value freezes the sign of a; all others reach a minimum.
"""

from dynamics.phase_plane import phase_plane
from figures import animate
from figures.phase_portrait import phase_portrait_figure

starts = [
    [-1.0, 1.6],
    [-1.2, 1.0],
    [-0.5, 0.3],
    [0.1, -0.3],
    [-0.9, -1.4],
    [1.6, -1.8],
]  # (a, p)
plane = phase_plane(1.0, starts, extent=2.0)
figure = phase_portrait_figure(plane)

# %%
# Six units in their own time, ``--output portrait.gif``: those that fail are among the first to come to rest.

animation = animate("phase-portrait", plane, seconds=5, frames_per_second=12)
