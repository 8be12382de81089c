"""Categories: what NumPy's functions do, in the words of the ledger."""

ADD, SUBTRACT, COMPARE, SELECT = "add", "subtract", "compare", "select"
SIGN, ABSOLUTE, CONSTANT, COPY = "sign", "absolute", "multiply by a constant", "copy"
# Additions, subtractions, comparisons, sign, constant weights: condition (ii). To select is to let a comparison decide
# whether a number counts.
SIMPLE = frozenset({ADD, SUBTRACT, COMPARE, SELECT, SIGN, ABSOLUTE, CONSTANT, COPY})

PRODUCT, SQUARE, OTHER_PRODUCT, INNER = "product of activities", "square", "product", "inner product"
OUTER, DELIVERED, TRANSMITTED = "presynaptic x postsynaptic", "weight x error", "weight x activity"
SLOPE = "slope x error"  # the slope of a nonlinearity that never falls: no number of it is negative
DIVIDE, BY_COUNT, TIMES_COUNT = "divide", "divide by a count", "multiply by a count"
ROOT, POWER, EXP, LOG, NORM, VARIANCE = "root", "power", "exp", "log", "norm", "variance"
ROUND, CURVED, LOOK_UP = "round", "nonlinear function", "look-up by activity"
ACROSS, CURVED_SUM = "sum over synapses", "nonlinear function of a sum"
SHARED = "one number for all units x another"
ESCAPE, FAILURE, UNKNOWN = "escape", "failure", "unknown function"

# What these do depends on where their numbers come from: `neurosim.audit.operations.naming` decides.
MULTIPLY, ALL_PRODUCT, MEAN, SHIFT = "multiply", "all product", "mean", "shift"


def _table(words: dict[str, str]) -> dict[str, str]:
    """Name of a function -> its category, from category -> names."""
    return {name: category for category, names in words.items() for name in names.split()}


UFUNCS = _table(
    {
        ADD: "add",
        SUBTRACT: "subtract negative",
        SIGN: "sign",
        ABSOLUTE: "absolute fabs",
        COPY: "positive conjugate",
        COMPARE: "greater greater_equal less less_equal equal not_equal maximum minimum fmax fmin logical_and logical_or "
        "logical_xor logical_not bitwise_and bitwise_or bitwise_xor invert isnan isfinite isinf signbit heaviside clip",
        MULTIPLY: "multiply copysign",
        SHIFT: "left_shift right_shift ldexp",
        DIVIDE: "divide true_divide floor_divide remainder fmod divmod reciprocal",
        ROOT: "sqrt cbrt hypot",
        POWER: "power float_power",
        EXP: "exp exp2 expm1 logaddexp logaddexp2",
        LOG: "log log2 log10 log1p",
        SQUARE: "square",
        INNER: "matmul vecdot matvec vecmat",
        ROUND: "rint floor ceil trunc",
        CURVED: "tanh sinh cosh sin cos tan arcsin arccos arctan arctan2 arcsinh arccosh arctanh",
    }
)

FUNCTIONS = _table(
    {
        ADD: "sum nansum cumsum nancumsum trace",
        SUBTRACT: "diff ediff1d",
        ALL_PRODUCT: "prod nanprod cumprod nancumprod",
        MEAN: "mean nanmean",
        VARIANCE: "var std nanvar nanstd cov corrcoef",
        NORM: "norm vector_norm matrix_norm cond",
        INNER: "dot matmul inner vdot vecdot tensordot einsum outer kron convolve correlate cross multi_dot average "
        "trapezoid",
        COMPARE: "max min amax amin nanmax nanmin argmax argmin nanargmax nanargmin sort argsort partition argpartition "
        "lexsort nonzero flatnonzero argwhere count_nonzero any all searchsorted digitize clip median nanmedian unique "
        "isclose allclose array_equal in1d isin maximum minimum ptp where select",
        ROUND: "round around fix",
        CURVED: "interp sinc i0 unwrap polyval",
        COPY: "reshape ravel transpose swapaxes moveaxis rollaxis permute_dims matrix_transpose squeeze expand_dims "
        "broadcast_to broadcast_arrays atleast_1d atleast_2d atleast_3d concatenate concat stack vstack hstack dstack "
        "column_stack block split array_split vsplit hsplit dsplit tile repeat roll flip fliplr flipud rot90 take "
        "take_along_axis compress extract delete insert append diagonal diag diagflat tril triu pad choose copy copyto put "
        "place putmask put_along_axis fill_diagonal zeros_like empty_like ones_like full_like array asarray asanyarray "
        "ascontiguousarray asfortranarray require real imag resize sliding_window_view shape size ndim may_share_memory "
        "shares_memory nan_to_num astype ix_ unravel_index ravel_multi_index result_type can_cast conjugate conj",
    }
)

INNERS = {name for name, category in UFUNCS.items() if category == INNER}
CHANGING = {"copyto", "put", "place", "putmask", "put_along_axis", "fill_diagonal"}  # their first argument
BLANK = {
    *("zeros_like", "empty_like", "ones_like", "full_like", "shape", "size", "ndim", "result_type", "can_cast"),
    *("may_share_memory", "shares_memory"),
}

# Functions of Python's ``math``.
MATH = _table(
    {
        ADD: "fsum",
        ABSOLUTE: "fabs",
        COMPARE: "isnan isfinite isinf",
        MULTIPLY: "copysign",
        ALL_PRODUCT: "prod",
        DIVIDE: "fmod remainder",
        ROOT: "sqrt hypot cbrt",
        POWER: "pow",
        EXP: "exp expm1 exp2",
        LOG: "log log2 log10 log1p",
        ROUND: "floor ceil trunc",
        CURVED: "tanh sin cos atan",
        NORM: "dist",
        INNER: "sumprod",
    }
)
