"""What n = αd² samples teach a wide quadratic network: the state evolution of its regularised minimum.

- `spectral_law`: what is asked of the limiting spectrum of a teacher
- `marchenko_pastur`, `atoms`: such laws, a file each
- `free_sum`: a law plus a semicircle: density and Hilbert transform by Biane's map
- `series`: integrals of them from any threshold upwards
- `denoiser`: what soft thresholding of its eigenvalues leaves
- `design`: what the rows of the data do to the equations, in infinite and in finite dimension
- `equations`: the state evolution of one problem, solved at one α
- `bayes`: the least error of all
- `thresholds`: interpolation and recovery
- `best_decay`: the weight decay of the least error
- `prediction`: all of it over α
"""
