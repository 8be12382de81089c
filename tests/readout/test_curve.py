"""The curve: which layer is the best, and what both networks are compared on."""

import numpy as np

from neurosim.readout.curve import TOGETHER, Side, points


def side(right, scores):
    """What two layers and both together gave with five labels, of two draws and four test images."""
    found = Side()
    for layer, (mine, score) in enumerate(zip(right, scores, strict=True)):
        found.right[layer, 5] = np.array(mine, bool)
        found.score[layer, 5] = np.array(score)
    return found


ONE, TWO = [[1, 1, 1, 0], [1, 1, 0, 0]], [[0, 0, 0, 1], [1, 1, 1, 1]]
DRAWS = {5: [np.arange(5), np.arange(5)]}


def test_the_best_layer_is_chosen_by_labelled_images_alone():
    """Of each draw by itself; where they say the same the lower layer. What test images say plays no part."""
    found = side([ONE, ONE, TWO], [[0, 0], [0.2, 0.5], [0.6, 0.5]])
    chosen, right = found.best((1, 2), 5)
    assert chosen == (2, 1) and right.tolist() == np.array([TWO[0], ONE[1]], bool).tolist()


def test_the_gain_is_of_the_best_layers_of_both_networks():
    trained = side([TWO, ONE, TWO], [[0, 0], [0.9, 0.9], [0.5, 0.5]])
    floor = side([ONE, TWO, ONE], [[0, 0], [0.1, 0.8], [0.3, 0.3]])
    (point,) = points(trained, floor, DRAWS, 2, (1, 2))
    assert (point.best.layers, point.best.floor_layers) == ((1, 1), (2, 1))
    assert point.best.difference.value == np.mean([[0, 0, 0, 0], [0, 0, -1, -1]])
    assert point.together.trained.value == trained.right[TOGETHER, 5].mean()
    assert point.layers[1].difference.value == np.mean(TWO) - np.mean(ONE)
    (point,) = points(trained, floor, DRAWS, 2, (2,))
    assert point.best.layers == (2, 2) and point.best.floor_layers == (2, 1) and point.together is None
