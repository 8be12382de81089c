"""A network that learns without labels as a transformer of scikit-learn: for pipelines, grid searches and joblib.

    from neurosim.sklearn import ContrastiveEncoder

    make_pipeline(ContrastiveEncoder(rule="ll", image_shape=(32, 32, 3)), LogisticRegression()).fit(x, y)

It needs the extra ``sklearn``. Labels that a pipeline hands on are never looked at.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import neurosim as ns

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as problem:
    raise ImportError(f"scikit-learn 1.6 or newer is needed ({problem}); pip install 'neurosim[sklearn]'") from None

if TYPE_CHECKING:
    from neurosim.audit.verdict import Verdict
    from neurosim.core.typing import Array
    from neurosim.experiment import Experiment

DENSE = "128 1x1 hardtanh, 64 1x1 hardtanh"  # of one place: every unit receives from every unit below
DEVIATIONS = 3.0  # of a column that are seen, on both sides of its mean
_SIZES = ("data", "readout", "training")  # what does not change which steps a plan has
_AUDITED: dict[str, Verdict] = {}  # a rule, error, plasticity and network are audited once a process


class ContrastiveEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Learns features from pictures or vectors by a local rule, without labels.

    Pictures are ``(sample, row, column, channel)`` or a row of numbers a picture, uint8 or floating in 0 .. 1; their views
    are deformed as an experiment's are. Of vectors a column is scaled so that its mean is in the middle and `DEVIATIONS`
    standard deviations fill the range on each side (what lies outside is cut off there), in steps of 1/255 of it; entries of
    a view are left out at random, or get noise (`neurosim.data.views.corrupt`), and the network is dense.

    Args:
        rule: as ``--rule``.
        image_shape: (row, column, channel) of a picture; None: vectors of any length.
        network: as ``--network``; None: `DENSE` for vectors, for pictures as an experiment chooses.
        epochs: passes through the training data.
        batch: samples at a time; fewer where there are fewer.
        layer: whose features are given: from 1, the bottom; None: the top; ``"together"``: all that learned.
        loss: as ``--loss``.
        plasticity: as ``--plasticity``.
        rate: learning rate.
        options: more words of the command line, as ``{"lags": 10, "masked": 0.3}``.
        n_jobs: threads; None: one, -1: every core. Any number gives the same bits.
        random_state: of weights, order and views.

    Attributes:
        config_: the whole configuration, as config.json has it.
        audit_: the audit's verdict on the rule in a line.
        state_: weights, traces and memories, by name.
        n_features_in_: numbers of a sample.
    """

    def __init__(
        self,
        rule: Any = "ll",
        image_shape: tuple[int, int, int] | None = None,
        network: Any = None,
        epochs: int = 10,
        batch: int = 100,
        layer: int | str | None = None,
        loss: Any = None,
        plasticity: Any = None,
        rate: float | None = None,
        options: Mapping[str, Any] | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.rule, self.image_shape, self.network, self.epochs, self.batch = rule, image_shape, network, epochs, batch
        self.layer, self.loss, self.plasticity, self.rate, self.options = layer, loss, plasticity, rate, options
        self.n_jobs, self.random_state = n_jobs, random_state

    def fit(self, X: Any, y: Any = None) -> ContrastiveEncoder:  # noqa: N803 - scikit-learn's name
        """Learn from samples, from the beginning.

        Args:
            X: ``(sample, feature)``, or pictures.
            y: not looked at.

        Raises:
            ValueError: samples or settings that cannot be used.
        """
        samples = self._begin(X)
        with _in_its_words():
            self._learn(self._experiment_of(samples, self._seed, epochs=self.epochs))
        return self

    def partial_fit(self, X: Any, y: Any = None) -> ContrastiveEncoder:  # noqa: N803
        """Go on learning, one pass through these samples at a constant rate; a column's scale stays as it was at first.

        Args:
            X: as for `fit`.
            y: not looked at.

        Raises:
            ValueError: samples or settings that cannot be used.
        """
        known = hasattr(self, "state_")
        samples = self._read(X) if known else self._begin(X)
        if len(samples) < 2:
            raise ValueError(f"Found array with {len(samples)} sample(s) while a minimum of 2 is required.")
        with _in_its_words():
            # Every pass has an order and views of its own.
            experiment = self._experiment_of(samples, self._seed + self._passes, epochs=1, schedule="constant")
            if known:
                own = experiment.model.state()
                same = {name: array for name, array in self.state_.items() if name in own and _alike(array, own[name])}
                experiment.model.restore({**own, **same})  # a memory of a batch of another size begins anew
            self._learn(experiment)
        return self

    def transform(self, X: Any) -> Array:  # noqa: N803
        """Features of samples, float32 ``(sample, feature)``.

        Args:
            X: as for `fit`.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: samples that cannot be used.
        """
        check_is_fitted(self, "state_")
        samples = self._read(X)
        with _in_its_words():
            return self._features(samples)

    @property
    def _n_features_out(self) -> int:
        return len(self._features(np.zeros((1, *self._shape), np.uint8))[0])

    def _features(self, samples: Array) -> Array:
        found = self._trained().encode(samples, self.layer)  # type: ignore[arg-type]  # what is no layer is refused
        if isinstance(found, dict):
            raise ValueError(f"layer={self.layer!r} gives {len(found)} arrays; expected one; write layer='together'")
        features: Array = found
        return features

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Without the experiment, which is made again from the state when it is needed."""
        return {name: value for name, value in super().__getstate__().items() if name != "_experiment"}

    # -- samples
    def _begin(self, X: Any) -> Array:  # noqa: N803
        """Forget what was learned, and read the first samples."""
        for name in ("state_", "_experiment", "_mean", "_scale"):
            self.__dict__.pop(name, None)
        self._seed, self._passes = int(check_random_state(self.random_state).randint(2**31 - 1)), 0
        return self._read(X, first=True)

    def _read(self, X: Any, first: bool = False) -> Array:  # noqa: N803
        """Samples as pictures, uint8 ``(sample, row, column, channel)``."""
        if self.image_shape is not None and getattr(X, "ndim", 2) == 4:
            X = np.reshape(X, (len(X), -1))  # noqa: N806
        found: Array = validate_data(self, X, reset=first, dtype="numeric", ensure_min_samples=2 if first else 1)
        return self._vectors(found, first) if self.image_shape is None else self._pictures(found)

    def _vectors(self, found: Array, first: bool) -> Array:
        found = found.astype(np.float64)
        if first:
            self._shape: tuple[int, ...] = (1, 1, found.shape[1])
            self._mean, spread = found.mean(axis=0), found.std(axis=0)
            self._scale = np.where(spread > 0, 2 * DEVIATIONS * spread, 1.0)
        seen = np.clip((found - self._mean) / self._scale + 0.5, 0, 1)
        bits: Array = np.rint(255 * seen).astype(np.uint8)
        return bits.reshape(-1, *self._shape)

    def _pictures(self, found: Array) -> Array:
        self._shape = shape = tuple(self.image_shape or ())
        if len(shape) != 3 or found.shape[1] != np.prod(shape):
            raise ValueError(f"X has {found.shape[1]} features, but image_shape={shape} needs {int(np.prod(shape))}")
        low, high = (found.min(), found.max()) if found.size else (0, 0)
        top = 1 if found.dtype.kind == "f" else 255
        if low < 0 or high > top:
            kind = "floating numbers" if top == 1 else "whole numbers"
            raise ValueError(f"pictures of {kind} run from {low} to {high}; expected 0 to {top}; scale them")
        bits: Array = np.rint(255 * found if top == 1 else found).astype(np.uint8)
        return bits.reshape(-1, *shape)

    # -- experiments
    def _words(self) -> dict[str, Any]:
        threads = {None: 1, -1: None}.get(self.n_jobs, self.n_jobs)
        named = {"rule": self.rule, "loss": self.loss, "plasticity": self.plasticity, "rate": self.rate}
        network = DENSE if self.network is None and self.image_shape is None else self.network
        return {**named, "network": network, "threads": threads, **(self.options or {})}

    def _experiment_of(self, samples: Array, seed: int, **more: Any) -> Experiment:
        """An experiment on some samples; where vectors are compared their views are corrupted."""
        data = ns.Dataset("<arrays>", samples, None, None, None, ())
        words = {**self._words(), **more, "data": data, "seed": seed, "batch": min(self.batch, len(samples))}
        if self.image_shape is not None or "deformation" in words:
            return ns.Experiment(**words)
        try:
            return ns.Experiment(**words, deformation="corrupt")
        except ns.errors.WiringError as problem:
            if problem.argument != "deformation":  # a rule that compares no views, as hebb, deforms none
                raise
            return ns.Experiment(**words)

    def _learn(self, experiment: Experiment) -> None:
        """Audit, train, and keep what was learned."""
        record = json.loads(experiment.config.to_json())
        key = json.dumps([{name: part for name, part in record.items() if name not in _SIZES}, self._shape])
        known = (
            None if "<" in key else _AUDITED.get(key)
        )  # of an object from Python nobody knows whether it is the same
        _AUDITED[key] = experiment.preflight(known).detached()  # kept: not the network's arrays with it
        experiment.fit()
        self.config_, self.audit_ = record, _AUDITED[key].line()
        self.state_, self._experiment = experiment.model.state(), experiment
        self._passes += 1

    def _trained(self) -> Experiment:
        """The experiment with what was learned."""
        if "_experiment" not in vars(self):
            size = self.config_["training"]["batch"]
            blank = np.zeros((size, *self._shape), np.uint8)
            experiment = self._experiment_of(blank, self._seed, epochs=1)
            experiment.model.restore(self.state_)
            self._experiment = experiment
        return self._experiment


def _alike(one: Array, other: Array) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


@contextlib.contextmanager
def _in_its_words() -> Iterator[None]:
    """What cannot be had is a ValueError, as everywhere in scikit-learn; its text is the same one line."""
    try:
        yield
    except ns.errors.NeurosimError as problem:
        raise ValueError(str(problem)) from problem
