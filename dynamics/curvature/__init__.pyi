from .hessian import HessianSpectrum as HessianSpectrum
from .hessian import hessian_spectrum as hessian_spectrum
from .saddles import SaddleSpectrum as SaddleSpectrum
from .saddles import saddle_spectrum as saddle_spectrum
