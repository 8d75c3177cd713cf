"""Products of matrices that fit into the second cache, for processors with registers of 512 bits; compiled by numba.

BLAS is made for large matrices, and OpenBLAS 0.3 takes half of such registers on processors of AMD: of 50 × 50 numbers
times 50 × 53 this takes half as long. A tile of the product, four rows of sixteen numbers, stays in registers while the
sum runs. The code is right on every processor, and only fast where `WIDE` says so.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import int64, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from dynamics.aliases import Array
from dynamics.integration.compiled_steps import MATRIX

WIDE = bool(llvmlite.binding.get_host_cpu_features().get("avx512f", False))
LARGEST = 2**16  # numbers in a factor, half a megabyte
ROWS, LANES, VECTORS = 4, 8, 2  # of a tile
COLUMNS = LANES * VECTORS
VECTOR = ir.VectorType(ir.DoubleType(), LANES)
SAME_LANE = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
NOTHING = ir.Constant(VECTOR, ir.Undefined)
FUSED = ("contract",)  # multiply and add at once


def _tile_type(typing: Any, A: Any, i: Any, B: Any, j: Any, C: Any, depth: Any) -> Any:
    """C[i : i + 4, j : j + 16] = A[i : i + 4, :depth] B[:depth, j : j + 16]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def matrix(k: int) -> tuple[Any, Any]:
            array = context.make_array(signature.args[k])(context, builder, arguments[k])
            return array.data, cgutils.unpack_tuple(builder, array.shape)[1]

        def at(start: Any, *offsets: Any) -> Any:
            for offset in offsets:
                start = builder.gep(start, [offset])
            return start

        def lanes(start: Any, v: int) -> Any:
            return builder.bitcast(at(start, ir.IntType(64)(LANES * v)), VECTOR.as_pointer())

        (a, a_width), (b, b_width), (c, c_width) = matrix(0), matrix(2), matrix(4)
        rows = [builder.add(arguments[1], ir.IntType(64)(r)) for r in range(ROWS)]
        starts = [at(a, builder.mul(row, a_width)) for row in rows]
        zero = ir.Constant(VECTOR, [0.0] * LANES)
        sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(VECTORS)] for _ in rows]
        with cgutils.for_range(builder, arguments[5]) as loop:
            row = at(b, builder.mul(loop.index, b_width), arguments[3])
            factors = [builder.load(lanes(row, v), align=8) for v in range(VECTORS)]
            for start, totals in zip(starts, sums, strict=True):
                x = builder.insert_element(NOTHING, builder.load(at(start, loop.index)), ir.IntType(32)(0))
                x = builder.shuffle_vector(x, NOTHING, SAME_LANE)
                for y, total in zip(factors, totals, strict=True):
                    more = builder.fmul(x, y, flags=FUSED)
                    builder.store(builder.fadd(builder.load(total), more, flags=FUSED), total)
        for index, totals in zip(rows, sums, strict=True):
            row = at(c, builder.mul(index, c_width), arguments[3])
            for v, total in enumerate(totals):
                builder.store(builder.load(total), lanes(row, v), align=8)
        return context.get_dummy_value()

    return types.void(A, i, B, j, C, depth), generate


_tile: Any = intrinsic(_tile_type)


@njit(int64(int64, int64), cache=True)
def padded(n: int, to: int) -> int:
    """The next multiple."""
    return (n + to - 1) // to * to


@njit(types.void(MATRIX, MATRIX, MATRIX, int64, int64, int64), cache=True)
def product(A: Array, B: Array, C: Array, rows: int, depth: int, columns: int) -> None:
    """C = AB, of the first rows of A, `depth` columns of A and rows of B, and columns of B.

    Written, and read, are whole tiles: rows up to a multiple of 4 and columns up to one of 16 must be there.
    """
    for i in range(0, rows, ROWS):
        for j in range(0, columns, COLUMNS):
            _tile(A, i, B, j, C, depth)
