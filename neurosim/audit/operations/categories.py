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
ACROSS = "sum over synapses"
ESCAPE, FAILURE, UNKNOWN = "escape", "failure", "unknown function"


def _table(**words: str) -> dict[str, str]:
    return {name: kind for kind, names in words.items() for name in names.split()}


_KINDS = {
    "add": ADD, "subtract": SUBTRACT, "compare": COMPARE, "sign": SIGN, "absolute": ABSOLUTE, "copy": COPY, "root": ROOT,
    "multiply": "multiply", "divide": DIVIDE, "power": POWER, "exp": EXP, "log": LOG, "inner": INNER, "round": ROUND,
    "curved": CURVED, "square": "square", "mean": "mean", "variance": VARIANCE, "norm": NORM,
    "product": "all product", "shift": "shift",
}  # fmt: skip

UFUNCS = {name: _KINDS[kind] for name, kind in _table(
    add="add", subtract="subtract negative", sign="sign", absolute="absolute fabs", copy="positive conjugate",
    compare="greater greater_equal less less_equal equal not_equal maximum minimum fmax fmin logical_and logical_or "
            "logical_xor logical_not bitwise_and bitwise_or bitwise_xor invert isnan isfinite isinf signbit heaviside clip",
    multiply="multiply copysign", shift="left_shift right_shift ldexp",
    divide="divide true_divide floor_divide remainder fmod divmod reciprocal", root="sqrt cbrt hypot",
    power="power float_power", exp="exp exp2 expm1 logaddexp logaddexp2", log="log log2 log10 log1p", square="square",
    inner="matmul vecdot matvec vecmat", round="rint floor ceil trunc",
    curved="tanh sinh cosh sin cos tan arcsin arccos arctan arctan2 arcsinh arccosh arctanh",
).items()}  # fmt: skip

FUNCTIONS = {name: _KINDS[kind] for name, kind in _table(
    add="sum nansum cumsum nancumsum trace", subtract="diff ediff1d", product="prod nanprod cumprod nancumprod",
    mean="mean nanmean", variance="var std nanvar nanstd cov corrcoef", norm="norm vector_norm matrix_norm cond",
    inner="dot matmul inner vdot vecdot tensordot einsum outer kron convolve correlate cross multi_dot average "
          "trapezoid",
    compare="max min amax amin nanmax nanmin argmax argmin nanargmax nanargmin sort argsort partition argpartition lexsort "
            "nonzero flatnonzero argwhere count_nonzero any all searchsorted digitize clip median nanmedian unique isclose "
            "allclose array_equal in1d isin maximum minimum ptp where select",
    round="round around fix", curved="interp sinc i0 unwrap polyval",
    copy="reshape ravel transpose swapaxes moveaxis rollaxis permute_dims matrix_transpose squeeze expand_dims broadcast_to "
         "broadcast_arrays atleast_1d atleast_2d atleast_3d concatenate concat stack vstack hstack dstack column_stack "
         "block split array_split vsplit hsplit dsplit tile repeat roll flip fliplr flipud rot90 take take_along_axis "
         "compress extract delete insert append diagonal diag diagflat tril triu pad choose copy copyto put place putmask "
         "put_along_axis fill_diagonal zeros_like empty_like ones_like full_like array asarray asanyarray "
         "ascontiguousarray asfortranarray require real imag resize sliding_window_view shape size ndim may_share_memory "
         "shares_memory nan_to_num astype ix_ unravel_index ravel_multi_index result_type can_cast conjugate conj",
).items()}  # fmt: skip
INNERS = {name for name, kind in UFUNCS.items() if kind == INNER}
CHANGING = {"copyto", "put", "place", "putmask", "put_along_axis", "fill_diagonal"}  # their first argument
BLANK = {"zeros_like", "empty_like", "ones_like", "full_like", "shape", "size", "ndim", "result_type", "can_cast",
         "may_share_memory", "shares_memory"}  # fmt: skip
MATH = {name: UFUNCS.get({"pow": "power", "fabs": "fabs", "atan": "arctan"}.get(name, name), FUNCTIONS.get(name, UNKNOWN))
        for name in ("sqrt", "exp", "log", "log2", "log10", "log1p", "expm1", "pow", "hypot", "tanh", "sin", "cos", "fabs",
                     "floor", "ceil", "trunc", "prod", "fmod", "copysign", "remainder", "cbrt", "exp2", "atan")}  # fmt: skip
MATH |= {"fsum": ADD, "dist": NORM, "sumprod": INNER, "isnan": COMPARE, "isfinite": COMPARE, "isinf": COMPARE}
