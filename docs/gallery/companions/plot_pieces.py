"""
Pieces of networks of quadratic neurons
=======================================

``quadflow figure pieces``

Networks with ReLU are piecewise polynomials: of degree 1 if their neurons are ordinary, of degree 2, 4, … with every
hidden layer of quadratic neurons; with activation z² they are one polynomial. All numbers of pieces are exact. See
above, five units in the plane, kinks as lines: conics may cut it into 56 pieces, lines into 16, which random lines
do and random conics do not. See in the middle that on a line quadratic neurons may have more pieces for their
parameters only from the second hidden layer on (lines), and that random networks (markers) stay far below these
bounds: with as many parameters ordinary networks have more pieces. What quadratic neurons add is the degree: below,
functions that one, two and four hidden units are exactly (the four are ordinary ones, before a quadratic output), and
no ReLU network of any size.
"""

from dynamics.neuron.pieces.counts import count_pieces
from figures.pieces import pieces_figure

figure = pieces_figure(count_pieces(5, 2, starts=10, seed=0))
