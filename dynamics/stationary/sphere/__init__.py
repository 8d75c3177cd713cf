"""Stationary points of networks whose units are kept on the sphere.

- `points`: an entry of the catalogue; the theory is in `dynamics.problem.sphere_levels`
- `catalogue`: all of them, and a network at each
- `search`: what a blind search needs
"""
