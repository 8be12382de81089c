"""The linear read-out: multinomial logistic regression on frozen features, where labels are used for the first time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from neurosim.errors import WiringError
from neurosim.readout.checks import (
    features_of,
    fraction,
    labels_of,
    pairs_of,
    penalties,
    same_columns,
    same_length,
    split,
)
from neurosim.readout.softmax import Cost, Table, check_finite, logits, moments

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.engine.threads import ThreadTeam
    from neurosim.readout.adam import Solver
    from neurosim.readout.softmax import Rows

# The strengths tried, each with the fraction of the held-out images classified correctly.
Path: TypeAlias = tuple[tuple[float, float], ...]
# Per image: 1 / (C * images) in the notation of support vector machines. Three a decade: of conv5's features the best lies at
# 0.02 to 0.05, and one a decade cost 1.3 points there (58.6 at 0.1, 59.9 at 0.02, 59.1 at 0.01; floor 57.9, 58.5, 58.2).
STRENGTHS = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
_FALLS = 2  # strengths in a row below the best before the search stops


@dataclass(frozen=True, eq=False)
class Readout:
    """A fitted read-out: ``u = ((x - mean) / scale, 1) W``, the answer is the class with the largest ``u``.

    Attributes:
        weights: ``(feature + 1, class)`` float64; the last row is added to every image.
        mean: ``(feature,)``, of the training images.
        scale: ``(feature,)``, their standard deviation; 1 for a feature that never varied, whose weights are 0.
        strength: of the L2 penalty, on the mean cross entropy of the standardised features.
        method: ``"lbfgs"`` or ``"adam"``.
        path: the strengths tried, each with the fraction right on the held-out images; empty when there was no choice.
        cost: what the last fit came down to, penalty included.
        steps: iterations of the last fit.
        converged: the last fit reached its tolerance before its largest number of iterations. Adam has none: always True.
    """

    weights: Array
    mean: Array
    scale: Array
    strength: float
    method: str
    path: Path
    cost: float
    steps: int
    converged: bool

    def predict(self, features: Array, team: ThreadTeam) -> Array:
        """The class of every image.

        Args:
            features: ``(sample, feature)``.
            team: who computes, inside their context.

        Returns:
            ``(sample,)`` int64, 0 .. classes - 1; of equal classes the first.

        Raises:
            DataError: features of another number, or not finite.
        """
        features = features_of(features)
        same_columns(features, self.mean)
        return answers(Table(features, self.mean, self.scale, team), self.weights)

    def accuracy(self, features: Array, labels: Array, team: ThreadTeam) -> float:
        """The fraction of images classified correctly, 0 to 1.

        Args:
            features: ``(sample, feature)``.
            labels: ``(sample,)``, integers 0 .. classes - 1.
            team: who computes, inside their context.

        Raises:
            DataError: features or labels that cannot be used.
        """
        labels = labels_of(labels, self.weights.shape[1])
        same_length(features, labels)
        return float(np.mean(self.predict(features, team) == labels))


@dataclass(frozen=True)
class Logistic:
    """Multinomial logistic regression: the mean cross entropy of a softmax plus ``strength/2 |W|^2``, minimised.

    The strength is chosen on held-out training images, then all of them are fitted at that strength
    (`neurosim.readout.softmax.Cost`). Of `STRENGTHS` every other one is tried from strong to weak until one does worse on the
    held-out images than the best; then the best one's neighbours, as long as one wins. Strengths that were given are tried
    one after another until two in a row do worse. Of equal ones the strongest is taken.

    Args:
        method: ``"lbfgs"``: L-BFGS, each strength starting where the one before ended; ``"adam"``: the published
            protocol, 200 epochs in minibatches of 500 at rate 1e-3, from weights of zero.
        strengths: to choose from, 0 or more; a single one is taken as it is. None: `STRENGTHS`, for Adam only 0.
        held_out: fraction of the training images to choose on, each class in proportion; over 0 up to 0.5.
        seed: of the choice of held-out images, of L-BFGS's search for steep directions and of Adam's order.
        iterations: L-BFGS steps for each strength tried and for the last fit, at most.
        tolerance: L-BFGS stops when a step lowers the cost by less than this fraction of it; a hundred times as much for
            strengths that are only tried.

    Raises:
        WiringError: a method, strength or fraction that does not exist.
    """

    method: str = "lbfgs"
    strengths: Sequence[float] | None = None
    held_out: float = 0.15
    seed: int = 0
    iterations: int = 100
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        if self.method not in ("lbfgs", "adam"):
            raise WiringError(f"method {self.method!r}", "'lbfgs' or 'adam'", "choose one of the two")
        penalties(self.choices)
        fraction(self.held_out)

    @property
    def choices(self) -> tuple[float, ...]:
        """The strengths to try, strong to weak."""
        strengths = self.strengths
        if strengths is None:
            strengths = STRENGTHS if self.method == "lbfgs" else (0.0,)
        return tuple(sorted({float(strength) for strength in strengths}, reverse=True))

    def fit(self, features: Array, labels: Array, classes: int, team: ThreadTeam) -> Readout:
        """Fit a read-out.

        Args:
            features: ``(sample, feature)``, float64 stays so, anything else is computed in float32; not changed.
            labels: ``(sample,)``, integers 0 .. classes - 1.
            classes: how many, 2 or more.
            team: who computes, inside their context; any number of threads gives the same bits.

        Raises:
            DataError: features or labels that cannot be used.
        """
        # Here and not above: SciPy takes half of the time in which a command starts, and training needs none of it. Before
        # the limit on threads, which finds the libraries that are loaded.
        from neurosim.readout.adam import Adam, Lbfgs

        features, labels = pairs_of(features, labels, classes)
        # SciPy may load a BLAS of its own, after the team limited the others: threads there would change bits.
        with threadpool_limits(1):
            mean, scale = moments(features, team)
            cost = Cost(Table(features, mean, scale, team), labels, classes)
            lbfgs = self.method == "lbfgs"
            solver = Lbfgs(cost, self.iterations, self.tolerance, self.seed) if lbfgs else Adam(cost, self.seed)
            strength, start = self.choices[0], np.zeros(cost.shape)
            path: Path = ()
            if len(self.choices) > 1:
                rows = split(labels, self.held_out, self.seed)
                if self.strengths is None:
                    strength, start, path = climb(cost, solver, *rows)
                else:
                    strength, start, path = _choose(cost, solver, self.choices, *rows)
            weights, value, steps, converged = solver.last(strength, start)
        return Readout(weights, mean, scale, strength, self.method, path, value, steps, converged)


def _choose(
    cost: Cost, solver: Solver, strengths: Sequence[float], kept: Array, aside: Array
) -> tuple[float, Array, Path]:
    """The strength that gets most held-out images right, the weights found with it, and the whole search."""
    weights = found = np.zeros(cost.shape)
    best, chosen, falls, path = -1.0, strengths[0], 0, []
    for strength in strengths:
        weights = solver.trial(strength, weights, kept)
        right = float(np.mean(answers(cost.table, weights, aside) == cost.labels[aside]))
        path.append((strength, right))
        falls = falls + 1 if right < best else 0
        if right > best:
            best, chosen, found = right, strength, weights
        if falls == _FALLS:
            break
    return chosen, found, tuple(path)


def climb(cost: Cost, solver: Solver, kept: Rows, aside: Rows, first: float | None = None) -> tuple[float, Array, Path]:
    """As `_choose` among all `STRENGTHS`, of which few are tried.

    Args:
        cost, solver: of the fit.
        kept, aside: images that are fitted, and that are held out.
        first: where the best strength is expected: it and its neighbours are tried first.
    """
    tried: dict[float, tuple[float, Array]] = {}

    def best() -> float:
        return max(tried, key=lambda strength: (tried[strength][0], strength))

    def attempt(strength: float, start: Array) -> float:
        weights = solver.trial(strength, start, kept)
        right = float(np.mean(answers(cost.table, weights, aside) == cost.labels[aside]))
        tried[strength] = right, weights
        return right

    weights = np.zeros(cost.shape)
    for strength in STRENGTHS[2::2] if first is None else (first,):
        if attempt(strength, weights) < tried[best()][0]:
            break
        weights = tried[strength][1]
    asked = [best()]
    while asked:
        place, weights = STRENGTHS.index(best()), tried[best()][1]
        asked = [s for s in STRENGTHS[max(place - 1, 0) : place + 2] if s not in tried]
        for strength in asked:
            attempt(strength, weights)
    return best(), tried[best()][1], tuple((strength, right) for strength, (right, _) in tried.items())


def answers(table: Table, weights: Array, rows: Rows | None = None) -> Array:
    """The class with the largest ``u = (x, 1) W`` of every image, or of some rows; int64 ``(sample,)``."""
    count = len(rows) if isinstance(rows, np.ndarray) else len(table.features[rows or slice(None)])
    found = np.empty(count, np.int64)
    answer = logits(weights, table.features.dtype)

    def visit(place: slice, block: Array) -> tuple[()]:
        check_finite(block, place)
        found[place] = answer(block).argmax(axis=1)
        return ()

    table.sweep(visit, rows)
    return found
