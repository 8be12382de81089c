"""The curve over numbers of labels: what a read-out of every layer makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from neurosim.readout import few
from neurosim.readout.checks import features_of, split
from neurosim.readout.draws import Draws
from neurosim.readout.results import Gain, Point, Row
from neurosim.readout.softmax import Table, check_finite, logits

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.engine.threads import ThreadTeam
    from neurosim.readout.floor import Fitted, Method

TOGETHER = 0  # the place of all layers that learned, among the numbers of layers
Fits: TypeAlias = dict[tuple[int, int], dict[int, few.Fit]]  # number of labels and of the draw -> layer -> its fit


@dataclass
class Side:
    """What the layers of one network gave, by layer, or `TOGETHER`, and number of labels.

    Attributes:
        right: ``(draw, test image)``, whether each is right.
        score: ``(draw,)``, share right of labelled images that were not fitted; layers are chosen by it.
    """

    right: dict[tuple[int, int], Array] = field(default_factory=dict)
    score: dict[tuple[int, int], Array] = field(default_factory=dict)

    def best(self, layers: Sequence[int], count: int) -> tuple[tuple[int, ...], Array]:
        """The best of some layers by the score, of each draw; of equal ones the lowest. And whether each image is right."""
        scores = np.array([self.score[layer, count] for layer in layers])
        chosen = tuple(layers[place] for place in scores.argmax(axis=0))
        return chosen, np.array([self.right[layer, count][number] for number, layer in enumerate(chosen)])


class Reading:
    """Reads every layer of a network out with every number of labels.

    Args:
        method: of the read-out.
        draws: of labels.
        labels: ``(sample,)``, of the labelled images.
        test_labels: ``(test image,)``.
        classes: how many.
        learned: the layers that are read out together.
        team: who computes.
        show: called with a line as work goes on.
    """

    def __init__(
        self,
        method: Method,
        draws: Draws,
        labels: Array,
        test_labels: Array,
        classes: int,
        learned: Sequence[int],
        team: ThreadTeam,
        show: Callable[[str], object],
    ):
        self.method, self.draws, self.labels, self.test_labels = method, draws, labels, test_labels
        self.classes, self.learned, self.team, self.show = classes, learned, team, show

    def read(self, train: list[Array], test: list[Array]) -> Side:
        """Read out.

        Args:
            train: features of the labelled images, ``(sample, feature)`` of layer 1 first; spoilt.
            test: of the test images; spoilt.
        """
        return self._regressions(train, test) if self.method.name == "lbfgs" else self._others(train, test)

    def _others(self, train: list[Array], test: list[Array]) -> Side:
        """By another method than logistic regression: a fit a layer, a number and a draw."""
        side = Side()
        for layer in [*range(1, len(train) + 1), *[TOGETHER] * (len(self.learned) > 1)]:
            self._name(layer, len(train))
            mine = train[layer - 1], test[layer - 1]
            if layer == TOGETHER:
                mine = _join(train, self.learned), _join(test, self.learned)
            for count, draws in self.draws.items():
                right, scores = [], []
                for rows in draws:
                    features, labels = mine[0][rows], self.labels[rows]
                    fitted = self.method.fit(features, labels, self.classes, self.team)
                    right.append(fitted.predict(mine[1], self.team) == self.test_labels)
                    scores.append(self._score(fitted, features, labels))
                side.right[layer, count], side.score[layer, count] = np.array(right), np.array(scores)
        return side

    def _name(self, layer: int, layers: int) -> None:
        self.show(f"layer {layer} of {layers}" if layer else "layers together")

    def _score(self, fitted: Fitted, features: Array, labels: Array) -> float:
        """Share right of labelled images that were not fitted: the method's own choice, or where it has none a fit for it."""
        if fitted.path:
            return max(right for _, right in fitted.path)
        kept, aside = split(labels, few.HELD_OUT, self.method.seed)
        if len(kept) < self.classes or len(set(labels[kept])) < 2:
            return 0.0
        tried = self.method.fit(features[kept], labels[kept], self.classes, self.team)
        return tried.accuracy(features[aside], labels[aside], self.team)

    def _regressions(self, train: list[Array], test: Sequence[Array]) -> Side:
        """By logistic regression, whose fits to few labels share what they compute; see `neurosim.readout.few`."""
        found: Fits = {}
        self.show("few labels")
        with threadpool_limits(1):
            for count, draws in self.draws.items():
                whole = count == len(self.labels) and count > few.MOST
                tasks = [partial(self._fit, found, count, number, train) for number in range(len(draws))]
                if count <= few.FOLDED:  # a thread a draw
                    self.team.run([partial(task, None) for task in tasks])
                elif not whole:
                    for task in tasks:
                        task(self.team)
                else:
                    found[count, 0] = self._whole(train)
        side = Side()
        self._answer(side, found, test)
        return side

    def _fit(self, found: Fits, count: int, number: int, train: Sequence[Array], team: ThreadTeam | None) -> None:
        """All layers with one draw of labels."""
        rows = self.draws[count][number]
        layers, labels = [few.Standard(features[rows]) for features in train], self.labels[rows]
        groups = {layer: [one] for layer, one in enumerate(layers, 1)}
        if len(self.learned) > 1:
            groups[TOGETHER] = [layers[layer - 1] for layer in self.learned]
        found[count, number] = {
            layer: few.fit(group, labels, self.classes, self.method.seed, team) for layer, group in groups.items()
        }

    def _whole(self, train: list[Array]) -> dict[int, few.Fit]:
        """All layers with all labels, standardised where they lie."""
        layers, found = [], {}
        for layer in range(1, len(train) + 1):
            self._name(layer, len(train))
            layers.append(few.Standard(train[layer - 1], spoil=True))
            train[layer - 1] = layers[-1].images
            found[layer] = few.fit(layers[-1:], self.labels, self.classes, self.method.seed, self.team)
        if len(self.learned) > 1:
            self._name(TOGETHER, len(train))
            best = max(self.learned, key=lambda layer: _score(found[layer]))
            group = [layers[layer - 1] for layer in self.learned]
            for each in layers:
                each.images = each.images[:0]
            joined = _join(train, self.learned)
            found[TOGETHER] = few.fit(
                group, self.labels, self.classes, self.method.seed, self.team, found[best].strength, joined
            )
        return found

    def _answer(self, side: Side, found: Fits, test: Sequence[Array]) -> None:
        """What all fits say of the test images; each layer's features are read once for all of them."""
        places = sorted(found, reverse=True)  # the most labels first: their mean and scale stand for all
        together = np.zeros((len(places), len(self.test_labels), self.classes))
        for layer, features in enumerate(test, 1):
            parts = [_part(found[place][layer], 0) for place in places]
            inside = len(self.learned) > 1 and layer in self.learned
            if inside:
                parts += [_part(found[place][TOGETHER], self.learned.index(layer)) for place in places]
            given = outputs(features_of(features), parts, self.team)
            self._keep(side, layer, found, places, given[: len(places)])
            if inside:
                together += given[len(places) :]
        if len(self.learned) > 1:
            self._keep(side, TOGETHER, found, places, together)

    def _keep(
        self,
        side: Side,
        layer: int,
        found: Fits,
        places: Sequence[tuple[int, int]],
        given: Array,
    ) -> None:
        for count in {count for count, _ in places}:
            mine = [index for index, place in enumerate(places) if place[0] == count]
            fits = [found[places[index]][layer] for index in mine]
            answers = (given[mine] + np.array([fit.last for fit in fits])[:, None]).argmax(axis=2)
            side.right[layer, count] = answers == self.test_labels
            side.score[layer, count] = np.array(list(map(_score, fits)))


def _score(fit: few.Fit) -> float:
    """Share right of labelled images that were not fitted."""
    return max(right for _, right in fit.path)


_Part: TypeAlias = tuple["Array", "Array", "Array"]  # weights, mean, scale


def _part(fit: few.Fit, place: int) -> _Part:
    return fit.weights[place], fit.mean[place], fit.scale[place]


def outputs(features: Array, parts: Sequence[_Part], team: ThreadTeam) -> Array:
    """``((x - mean) / scale) W`` of several fits to features of one layer, which are read once.

    They are standardised by the first one's mean and scale; of each other's only the difference goes into its weights.

    Args:
        features: ``(sample, feature)``.
        parts: weights ``(feature, class)``, mean and scale ``(feature,)``.
        team: who reads.

    Returns:
        ``(part, sample, class)`` float64.
    """
    _, mean, scale = parts[0]
    inner = np.hstack([weights * (scale / own)[:, None] for weights, _, own in parts])
    last = np.hstack([((mean - shift) / own) @ weights for weights, shift, own in parts])
    answer = logits(np.vstack([inner, last]), features.dtype)
    found = np.empty((len(parts), len(features), parts[0][0].shape[1]))

    def visit(place: slice, block: Array) -> tuple[()]:
        check_finite(block, place)
        found[:, place] = answer(block).reshape(len(block), len(parts), -1).swapaxes(0, 1)
        return ()

    Table(features, mean, scale, team).sweep(visit)
    return found


def _join(features: list[Array], layers: Sequence[int]) -> Array:
    """Some layers' features side by side. The widest are copied and let go first: at no time is all there twice."""
    widths = [features[layer - 1].shape[1] for layer in layers]
    bounds = np.append(0, np.cumsum(widths))
    found = np.empty((len(features[layers[0] - 1]), bounds[-1]), features[layers[0] - 1].dtype)
    for place in np.argsort(widths)[::-1]:
        found[:, bounds[place] : bounds[place + 1]] = features[layers[place] - 1]
        features[layers[place] - 1] = found[:0]
    return found


def points(trained: Side, floor: Side, draws: Draws, layers: int, learned: Sequence[int]) -> tuple[Point, ...]:
    """The curve.

    Args:
        trained, floor: what both networks gave.
        draws: of labels.
        layers: of the network.
        learned: those that learned.
    """
    found = []
    for count, rows in draws.items():
        each = tuple(Row.of(trained.right[n, count], floor.right[n, count]) for n in range(1, layers + 1))
        together = best = None
        if len(learned) > 1:
            together = Row.of(trained.right[TOGETHER, count], floor.right[TOGETHER, count])
        if learned:
            chosen, right = trained.best(learned, count)
            beside, under = floor.best(range(1, layers + 1), count)
            row = Row.of(right, under)
            best = Gain(row.trained, row.floor, row.difference, chosen, beside)
        found.append(Point(count, len(rows), each, together, best))
    return tuple(found)
