"""The pieces of networks that are piecewise polynomials, counted exactly.

- `network`: networks of quadratic or ordinary units with rational weights
- `roots`: real roots of rational polynomials, isolated; `line`: pieces along a line, at any depth
- `conics`: where zero sets of units meet; `plane`: pieces in the plane, for one hidden layer
- `slices`: pieces in the plane at any depth, at least
- `bounds`: how many there can be; `exact`: the smallest networks that represent given functions
- `counts`: numbers of pieces of random networks
"""
