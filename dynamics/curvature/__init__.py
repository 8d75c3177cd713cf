"""Curvature along a trajectory: Hessians and tangent kernels; the table of contents is `__init__.pyi`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
