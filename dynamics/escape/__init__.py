"""How long until one unit on the sphere learns anything: information exponent and escape time.

- `hermite`: Hermite coefficients of functions of one Gaussian, kinks and jumps included
- `single_index`: student and teacher as power series in their overlap: signal, noise, information exponent
- `overlap_flow`: time from overlap to overlap, and where the flow rests
- `closed_forms`: that time for Hermite polynomials, and its law in the input dimension
- `random_start`: the law of the overlap of a random direction
- `exit_law`: the law of the time of SGD, whose spread no dimension takes away
- `prediction`: all of it for a problem
"""
