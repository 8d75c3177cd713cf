"""Matrices as people have them: eigenvalues that are rounding are no modes."""

import numpy as np
import pytest

from dynamics import ProblemError, Teacher
from dynamics.covariance import clean_covariance
from dynamics.inputs.data_set import DataSet
from dynamics.matrices import FLOOR, decimal_unit, decompose, negligible, rounding_of

VALUES = [3.0, 2.0, -1.0]


@pytest.fixture
def low_rank(rng):
    """A 50 × 50 matrix with the eigenvalues 3, 2, −1, and 47 zeros."""
    Q = np.linalg.qr(rng.standard_normal((50, 3)))[0]
    M = (Q * VALUES) @ Q.T
    return (M + M.T) / 2


@pytest.mark.parametrize("decimals", [4, 6, 9])
def test_rounding_makes_no_modes(low_rank, decimals):
    """M is known: three eigenvalues, moved by less than ‖rounding‖₂ (Weyl), in spite of 47 of rounding."""
    rounded = np.round(low_rank, decimals)
    error = np.linalg.norm(rounded - low_rank, 2)
    assert np.linalg.matrix_rank(rounded) > 45
    parts = decompose("M", rounded, rounding=10.0**-decimals)
    np.testing.assert_allclose(parts.values, sorted(VALUES), atol=error)
    assert len(parts.zeros) == 47
    assert np.abs(parts.zeros).max() <= error <= parts.threshold
    assert "47 eigenvalues of `M` below" in parts.notes[0]
    assert "treated as 0" in parts.notes[0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_data_type_says_how_far_to_trust(low_rank, dtype):
    teacher = Teacher.from_matrix(low_rank.astype(dtype))
    error = np.linalg.norm(low_rank.astype(dtype) - low_rank, 2)
    np.testing.assert_allclose(teacher.eigen[0][0], VALUES, atol=error)
    assert "47 eigenvalues" in teacher.notes[0]
    assert "47 eigenvalues" in repr(teacher)


def test_exact_matrices_are_left_in_peace(low_rank):
    """Eigenvalues down to 1e-12 of the largest are modes in double precision, and zeros need no remark."""
    np.testing.assert_allclose(Teacher.from_matrix(low_rank).eigen[0][0], VALUES, atol=1e-14)
    assert Teacher.from_matrix(low_rank).notes == ()
    small = Teacher.from_matrix(np.diag([1.0, 1e-12]))
    np.testing.assert_array_equal(small.eigen[0][0], [1, 1e-12])
    assert len(Teacher.from_matrix(np.diag([2, 1, 1])).V) == 3


def test_in_a_file_a_part_in_a_billion_is_noise():
    parts = decompose("M", np.diag([1.0, 0.9 * FLOOR, 2 * FLOOR]), rounding=0.0)
    np.testing.assert_array_equal(parts.values, [2 * FLOOR, 1])


def test_rank_and_tolerance_decide_if_they_are_given():
    M = np.diag([5.0, -4.0, 1e-3, 1e-5])
    np.testing.assert_array_equal(Teacher.from_matrix(M, rank=3).eigen[0][0], [5, 1e-3, -4])
    np.testing.assert_array_equal(Teacher.from_matrix(M, rank=1).eigen[0][0], [5])
    np.testing.assert_array_equal(Teacher.from_matrix(M, tolerance=1e-3).eigen[0][0], [5, -4])
    np.testing.assert_array_equal(Teacher.from_matrix(M, rank=3, tolerance=1e-3).eigen[0][0], [5, -4])
    everything = Teacher.from_matrix(M.astype(np.float16), tolerance=0)
    assert len(everything.V) == 4
    assert everything.notes == ()
    assert Teacher.from_matrix(M, rank=3).notes == (
        "1 eigenvalues of `teacher` up to 1e-05 are left out by `rank`, 2e-06 of the largest",
    )


def test_one_eigenvalue_is_spoken_of_in_the_singular():
    assert "1 eigenvalue of `M` below 1e-06 is" in decompose("M", np.diag([1, 1e-7]), tolerance=1e-6).notes[0]


def test_each_output_is_read_by_itself(low_rank):
    """Tolerances are relative to the matrix of the output: a small one keeps its modes beside a large one."""
    stack = np.stack([low_rank, 1e-9 * low_rank])
    for lam, size in zip(Teacher.from_matrix(stack).eigen, (1, 1e-9), strict=True):
        np.testing.assert_allclose(lam[0], size * np.array(VALUES), rtol=1e-12)


@pytest.mark.parametrize("exponent", [-1000, -160, 160, 1000])
def test_nothing_depends_on_the_unit(low_rank, exponent):
    """A power of two is exact: the same modes to the last bit, from 1e-301 to 1e301, and no warning of NumPy's.

    Teachers, of which losses are squares, end at 1e±50.
    """
    c = 2.0**exponent
    one, other = decompose("M", low_rank), decompose("M", c * low_rank)
    np.testing.assert_array_equal(other.values, c * one.values)
    np.testing.assert_array_equal(other.vectors, one.vectors)
    if abs(exponent) > 166:
        return
    teacher = Teacher.from_matrix(c * low_rank)
    np.testing.assert_allclose(teacher.eigen[0][0] / c, VALUES, rtol=1e-13)


def test_asymmetry_of_rounding_is_removed_and_said(rng):
    """(M + Mᵀ)/2, to the last bit; of double precision nothing is said."""
    S = rng.standard_normal((4, 4))
    S += S.T
    noise = np.triu(rng.uniform(-1, 1, (4, 4)), 1) * np.abs(S).max()
    slight = S + 5e-7 * noise
    parts = decompose("M", slight)
    np.testing.assert_array_equal(parts.matrix, (slight + slight.T) / 2)
    assert "symmetrised" in parts.notes[0]
    assert decompose("M", S + 1e-14 * noise).notes == ()
    with pytest.raises(ProblemError, match=r"not symmetric .* `--symmetrize`"):
        decompose("M", S + 5e-5 * noise)
    np.testing.assert_array_equal(
        decompose("M", S + noise, symmetrize=True).matrix, (S + noise + (S + noise).T) / 2
    )


@pytest.mark.parametrize(("share", "advised"), [(0.099, True), (0.101, False), (1.9, False)])
def test_to_symmetrise_is_advised_only_where_little_is_changed(share, advised):
    with pytest.raises(ProblemError, match="is not symmetric") as refused:
        decompose("M", np.array([[1.0, 0.95], [0.95 - share, 0.2]]))
    assert ("--symmetrize" in str(refused.value)) == advised
    assert str(refused.value).endswith("does." if advised else "but must be.")


def test_the_limit_of_asymmetry_is_a_millionth_of_the_largest_entry():
    for size in (1e-200, 1.0, 1e200):
        decompose("M", size * np.array([[1, 0.5], [0.5 + 0.99e-6, 0.2]]))
        with pytest.raises(ProblemError, match="not symmetric"):
            decompose("M", size * np.array([[1, 0.5], [0.5 + 1.01e-6, 0.2]]))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Teacher.from_matrix(1e308 * np.ones((3, 3))), "beyond 1.8e308"),
        (lambda: Teacher.from_matrix(5e-324 * np.eye(3)), "hides even its largest"),
        (lambda: Teacher.from_matrix(np.eye(2), rank=3), "2 eigenvalues only"),
        (lambda: Teacher.from_matrix(np.eye(2), rank=0), "at least 1"),
        (lambda: Teacher.from_matrix(np.eye(2), tolerance=1), "below 1"),
        (lambda: Teacher.from_matrix(np.eye(2), tolerance=-0.1), "negative"),
        (lambda: Teacher.from_matrix(np.eye(2) + 0j), "complex"),
        (lambda: Teacher.from_matrix(np.zeros((0, 2, 2))), "at least one output"),
        (lambda: Teacher.from_matrix([[1, 2], [3]]), "real numbers"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(make, words):
    with pytest.raises(ProblemError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_teacher_of_zeros_has_no_modes():
    assert len(Teacher.from_matrix(np.zeros((3, 3))).V) == 0


def test_what_the_computation_cannot_tell_from_zero(rng):
    """Products of rank d/2, whose other eigenvalues are rounding alone, in sizes from 4 to 200."""
    for d in (4, 30, 200):
        X = rng.standard_normal((d, d // 2))
        lam = np.linalg.eigvalsh(X @ X.T)
        assert np.abs(lam[: d - d // 2]).max() < negligible(d) * lam[-1]


def test_the_unit_of_arrays_of_objects_is_unknown():
    assert rounding_of(np.array([["a"]], dtype=object)) == 0.0
    assert rounding_of(np.zeros((0, 3))) == 0.0


def printed(rng, form, d=20):
    """A matrix of rank 3 as it is read again after it was printed."""
    Q = np.linalg.qr(rng.standard_normal((d, 3)))[0]
    return np.array([[float(form % x) for x in row] for row in (Q * [3.0, 2.0, 1.0]) @ Q.T])


@pytest.mark.parametrize("form", ["%.6f", "%.4f", "%.6g", "%.3e", "%.12g"])
def test_matrices_that_were_printed_have_the_rank_that_they_had(form):
    """Read by another program, as pandas: the decimals tell. No entry was moved by more than half the unit,
    and one by a twelfth of it: of %.6g it is the unit of the largest, which may be alone in its decade.
    """
    M = printed(np.random.default_rng(3), form)
    whole = printed(np.random.default_rng(3), "%.17g")
    unit = decimal_unit(M)
    assert unit / 12 < np.abs(M - whole).max() <= unit / 2 * (1 + 1e-3)
    teacher = Teacher.from_matrix(M)
    assert len(teacher.eigen[0][0]) == 3
    assert len(teacher.notes) == 1
    assert decimal_unit(whole) == 0
    assert len(Teacher.from_matrix(whole).eigen[0][0]) == 3


def test_what_was_typed_is_exact():
    """Few numbers, numbers of three digits, diagonal matrices, whole numbers and single precision."""
    typed = np.full((6, 6), 0.125) + np.diag([1.25, 0.5, 0.001, 2, 3, 4])
    few = np.array([[1.2345, 0.12345, 0.5], [0.12345, 2.3456, 0.1], [0.5, 0.1, 1.0]])
    diagonal = np.diag(np.round(1 / np.arange(1, 30), 6))
    whole = np.arange(36.0).reshape(6, 6)
    single = np.round(np.random.default_rng(0).normal(size=(6, 6)), 4).astype(np.float32)
    for M in (typed, few, diagonal, whole, single, np.ones(40), np.zeros((6, 6))):
        assert decimal_unit(M) == 0
    assert len(Teacher.from_matrix(diagonal).eigen[0][0]) == 29


def test_frames_and_labelled_arrays_are_matrices(rng):
    """The same teacher as of the bare numbers; names of rows and columns in another order are refused."""
    pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    M = printed(rng, "%.6f", 5)
    names = list("abcde")
    frame = pandas.DataFrame(M, index=names, columns=names)
    array = xarray.DataArray(M, coords={"row": names, "column": names})
    for labelled in (
        frame,
        array,
        frame.astype(object),
        frame.astype("Float64"),
        pandas.DataFrame(M),
        M.tolist(),
    ):
        np.testing.assert_array_equal(Teacher.from_matrix(labelled).matrix(), Teacher.from_matrix(M).matrix())
    np.testing.assert_array_equal(clean_covariance(frame, 5)[0], clean_covariance(M, 5)[0])
    words = r"has rows and columns with the same names in another order \(number 0 is 'e' and 'a'\): sort them alike\."
    for turned in (frame.iloc[::-1], array.isel(row=slice(None, None, -1))):
        with pytest.raises(ProblemError, match=f"`teacher` {words}"):
            Teacher.from_matrix(turned)
    with pytest.raises(ProblemError, match=f"`covariance` {words}"):
        clean_covariance(frame.iloc[::-1], 5)
    other = pandas.DataFrame(
        M, index=list("vwxyz"), columns=names
    )  # names of other things are nobody's business
    assert len(Teacher.from_matrix(other).eigen[0][0]) == len(Teacher.from_matrix(M).eigen[0][0])
    with pytest.raises(ProblemError, match="cannot be read as an array of real numbers"):
        Teacher.from_matrix(frame.astype("Float64").replace(M[0, 0], None))


def test_samples_and_labels_of_frames_keep_their_rows(rng):
    pandas = pytest.importorskip("pandas")
    X, y = pandas.DataFrame(rng.normal(size=(6, 2))), pandas.Series(rng.normal(size=6))
    data = DataSet(X, y)
    np.testing.assert_array_equal(data.X, X.to_numpy())
    np.testing.assert_array_equal(data.Y[:, 0], y.to_numpy())
    words = (
        r"`X` and `y` have rows with the same names in another order \(number 0 is 0 and 5\): sort them alike"
    )
    with pytest.raises(ProblemError, match=words):
        DataSet(X, y.iloc[::-1])
    assert len(DataSet(X, list(y)).Y) == 6


def test_stacks_of_frames_are_looked_at_one_by_one(rng):
    """Two outputs: each with names in its own order, or one in the order of the other's columns."""
    pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    M, names = printed(rng, "%.6f", 5), list("abcde")
    frame = pandas.DataFrame(M, index=names, columns=names)
    turned = frame.iloc[::-1]
    stack = xarray.DataArray(np.stack([M, 2 * M]), coords={"output": [0, 1], "row": names, "column": names})
    for good in ([frame, 2 * frame], stack):
        assert Teacher.from_matrix(good).outputs == 2
        np.testing.assert_allclose(
            Teacher.from_matrix(good).matrix(1), 2 * Teacher.from_matrix(M).matrix(), atol=1e-12
        )
    for bad in ([frame, turned], stack.isel(row=slice(None, None, -1))):
        with pytest.raises(ProblemError, match="rows and columns with the same names in another order"):
            Teacher.from_matrix(bad)
    with pytest.raises(ProblemError, match="outputs whose rows have the same names in another order"):
        Teacher.from_matrix([frame, turned.iloc[:, ::-1]])


def test_what_is_no_matrix_is_refused_in_one_sentence(rng):
    torch, xarray = pytest.importorskip("torch"), pytest.importorskip("xarray")
    grad, half = torch.eye(3, requires_grad=True), torch.eye(3, dtype=torch.bfloat16)
    for value in (grad, half, xarray.Dataset({"M": (("row", "column"), np.eye(3))}), None, "M", {}):
        with pytest.raises(ProblemError, match=r"^`teacher` [^.]*\.$"):
            Teacher.from_matrix(value)
    masked = np.ma.masked_array(np.eye(3), mask=np.eye(3, k=1))
    with pytest.raises(
        ProblemError, match="`teacher` has masked entries, but every entry must be a number: fill them"
    ):
        Teacher.from_matrix(masked)
    with pytest.raises(ProblemError, match="`X` has masked entries"):
        DataSet(masked, np.ones(3))
    assert len(Teacher.from_matrix(np.ma.masked_array(np.eye(3), mask=False)).V) == 3
