"""Would the theory of Gaussian inputs have done?

- `counterpart`: the Gaussian problem that stands for one of other inputs
- `comparison`: the learning curves of both, and how far apart their fourth moments are
- `universality`: the difference against the input dimension, for dense and for axis-parallel teachers
"""
