"""How version d081ef4 filled what was not given: its code, word for word but for the class around it. Recipes must agree."""

OF_LOSSES = ("lags", "negative_weight", "threshold", "delta", "temperature", "negatives")
OF_RULES = ("order", "feedback", "top", "target_step", "noise", "inverse_rate", "inverse_steps", "inverse_first")
OF_PHOTOGRAPHS = {
    "network": "conv5",
    "epochs": 1,
    "batch": 50,
    "lags": 20,
    "rate": 0.03,
    "head_rate": 1.7,
    "feedback_gain": 0.1,
}
OF_CONV5 = {"layer_rates": (0.3, 1.0, 1.5, 1.5, 0.0)}
OF_FEEDBACK = {"layer_rates": (0.3, 1.0, 1.5, 1.5, 1.0)}
OF_RATES = {
    "rf": {"rate": 0.001, **OF_FEEDBACK},
    "urf": {"rate": 0.02, **OF_FEEDBACK},
    "sign": {"rate": 0.02, **OF_FEEDBACK},
}
OF_PATCHES = {"rate": 0.004, "head_rate": 1.0}
OF_STL10 = {"network": "vgg6", "crop": 64}
SIZES = {"toys": 32, "cifar10": 32, "cifar100": 32}
OF_DTP = {
    "network": "conv4-tanh",
    "loss": "hinge-mean",
    "block": False,
    "match": False,
    "plasticity": "adam",
    "rate": 1e-3,
    "head_rate": 1.0,
    "batch": 50,
    "epochs": 2,
    "noise": 2.0,
    "target_step": 20.0,
}
DEFAULTS = {
    "rule": "ll",
    "order": None,
    "feedback": None,
    "top": None,
    "target_step": None,
    "noise": None,
    "inverse_rate": None,
    "inverse_steps": None,
    "inverse_first": None,
    "loss": "hinge",
    "lags": 5,
    "block": True,
    "threshold": 2.0,
    "delta": 1.0,
    "negative_weight": 1.0,
    "match": True,
    "temperature": 0.1,
    "network": "small",
    "data": "toys",
    "data_dir": None,
    "views": "deform",
    "images": None,
    "epochs": 6,
    "batch": 100,
    "plasticity": "signum",
    "rate": 0.01,
    "head_rate": 1.0,
    "layer_rates": None,
    "feedback_gain": 1.0,
    "momentum": 0.9,
    "decay": 0.0,
    "schedule": "cosine",
    "seed": 0,
    "threads": None,
    "device": "cpu",
    "readout": "lbfgs",
    "readout_images": 10000,
    "crop": None,
    "patch": None,
    "grey": False,
    "negatives": 1,
    "deformation": "affine",
    "diagnose_every": None,
    "precision": "float32",
}
OPTIONS = {
    "hinge": ("lags", "threshold", "delta", "negative_weight"),
    "hinge-mean": ("threshold", "delta"),
    "simclr": ("temperature",),
    "barlow": (),
    "positive": (),
    "clapp": ("grid", "negatives"),
    "gaze": ("grid", "negatives", "threshold", "delta"),
}


def resolve(**given):
    """Every option by its flat keyword.

    Raises:
        ValueError: what that version refused.
    """
    given = {name: value for name, value in given.items() if value is not None}
    data = given.get("data", "toys")
    filled = OF_PHOTOGRAPHS if data != "toys" else {}
    filled = {
        **filled,
        **(OF_STL10 if data == "stl10" else {}),
        **(OF_DTP if given.get("rule") == "dtp" else {}),
        **given,
    }
    if data != "toys" and filled["network"] == "conv5" and filled.get("plasticity", "signum") == "signum":
        filled = {**filled, **OF_RATES.get(filled.get("rule"), OF_CONV5), **given}
    loss = filled.get("loss", "hinge")
    if any(name in given and name not in OPTIONS[loss] for name in OF_LOSSES):
        raise ValueError("an option that the loss has not")
    if filled.get("lags") == "all":
        filled["lags"] = None
        filled["negative_weight"] = given.get("negative_weight")
    if loss in ("clapp", "gaze"):
        filled |= _gaze(data, given)
    elif "patch" in given or filled.get("views") == "gaze":
        raise ValueError("patches without a loss of patches")
    if "deformation" in given and filled.get("views", "deform") != "deform":
        raise ValueError("a deformation that nothing shows")
    return DEFAULTS | filled


def _gaze(data, given):
    if given.get("views", "gaze") != "gaze" or given.get("block"):
        raise ValueError("what does not go with patches")
    patch = given.get("patch", 16 if data == "stl10" else None)
    crop = given.get("crop", OF_STL10["crop"] if data == "stl10" else SIZES.get(data))
    if patch is None or crop is None:
        raise ValueError("pictures without a known way to cut them")
    slower = {} if given.get("rule") == "dtp" else {name: given.get(name, value) for name, value in OF_PATCHES.items()}
    return slower | {"views": "gaze", "block": False, "patch": patch, "crop": crop, "grey": given.get("grey", True)}
