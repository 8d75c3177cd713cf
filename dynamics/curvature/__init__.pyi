from .hessian import HessianSpectrum as HessianSpectrum
from .hessian import hessian_spectrum as hessian_spectrum
from .kernel_spectrum import KernelSpectrum as KernelSpectrum
from .kernel_spectrum import kernel_spectrum as kernel_spectrum
from .saddles import SaddleSpectrum as SaddleSpectrum
from .saddles import saddle_spectrum as saddle_spectrum
from .tangent_kernel import tangent_kernel as tangent_kernel
