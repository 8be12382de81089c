"""The Random Hierarchy Model, against a generator and a parser of plain loops."""

import hashlib
import itertools

import numpy as np
import pytest
from PIL import Image

import neurosim as ns
from neurosim.data.sources import loading, rhm
from neurosim.errors import DataError, WiringError


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(rhm, "TRAIN", 96)
    monkeypatch.setattr(rhm, "TEST", 32)


def parse(grammar, leaves):
    """The symbols of every level above the leaves, up to the class: every tuple is looked up among all rules of its level."""
    found, symbols = [], list(leaves)
    for rules in grammar.rules:
        above = []
        for start in range(0, len(symbols), grammar.branches):
            children = symbols[start : start + grammar.branches]
            matches = [symbol for symbol in range(grammar.symbols) for one in rules[symbol].tolist() if one == children]
            assert len(matches) == 1, "a tuple is written by one symbol, in one way"
            above.append(matches[0])
        symbols = above
        found.append(symbols)
    assert len(symbols) == 1
    return found


def every(grammar, symbol, level):
    """All leaves that a symbol of a level can be written as."""
    if level == 0:
        return {(symbol,)}
    found = set()
    for children in grammar.rules[level - 1][symbol].tolist():
        parts = [every(grammar, child, level - 1) for child in children]
        found |= {tuple(itertools.chain(*chosen)) for chosen in itertools.product(*parts)}
    return found


def leaves_of(image, branches, levels):
    """The leaves of one picture, read square by square."""
    side = round(branches**0.5)

    def read(rows, columns, level):
        if level == 0:
            (place,) = np.flatnonzero(image[rows.start, columns.start])
            return [int(place)]
        found, step = [], side ** (level - 1)
        for row in range(side):
            for column in range(side):
                top, left = rows.start + row * step, columns.start + column * step
                found += read(range(top, top + step), range(left, left + step), level - 1)
        return found

    size = side**levels
    return read(range(size), range(size), levels)


@pytest.mark.parametrize("v, m, levels, s", [(2, 2, 2, 2), (3, 2, 2, 2), (3, 3, 2, 2), (2, 2, 3, 2)])
def test_all_that_is_written_is_what_a_naive_generator_writes(v, m, levels, s):
    grammar = rhm.Grammar(v, m, levels, s, seed=5)
    wanted = [every(grammar, kind, levels) for kind in range(v)]
    count = m ** ((s**levels - 1) // (s - 1))
    assert [len(each) for each in wanted] == [count] * v, "as many as Cagnetti et al. say"
    assert len(set().union(*wanted)) == v * count, "no two classes have a picture in common"
    labels = np.arange(6000) % v
    drawn = grammar.write(np.random.default_rng(1), labels, 1, 0)[:, 0]
    for kind in range(v):
        assert {tuple(leaves) for leaves in drawn[labels == kind].tolist()} == wanted[kind]


def test_synonyms_are_drawn_with_equal_chances():
    grammar = rhm.Grammar(3, 3, 2, 2, seed=0)
    drawn = grammar.write(np.random.default_rng(2), np.zeros(8000, np.int64), 1, 0)[:, 0]
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(counts) == 27 and (np.abs(counts / 8000 * 27 - 1) < 0.25).all()


def test_every_picture_parses_back_to_its_class(few):
    source = rhm.Rhm(symbols=6, synonyms=3, levels=3, branches=4)
    data = source.load("nowhere", seed=3)
    assert data.train_images.shape == (96, 8, 8, 6) and data.classes == tuple("012345")
    assert np.unique(data.train_images).tolist() == [0, 255] and (data.train_images.sum(axis=-1) == 255).all()
    for images, labels in ((data.train_images, data.train_labels), (data.test_images, data.test_labels)):
        for image, label in zip(images[:20], labels, strict=False):
            assert parse(source.grammar, leaves_of(image, 4, 3))[-1] == [label]
        assert np.bincount(labels).min() >= len(labels) // 6


@pytest.mark.parametrize("redraw", [1, 2])
def test_two_views_are_of_one_tree(few, redraw):
    """The levels that are not redrawn are the same, symbol by symbol; the others differ."""
    source = rhm.Rhm(levels=3, redraw=redraw)
    data = source.load("nowhere", frames=3)
    assert data.train_images.shape == (96, 3, 8, 8, 8)
    differ = np.zeros(3)
    for film in data.train_images[:30]:
        trees = [parse(source.grammar, leaves_of(image, 4, 3)) for image in film]
        for level in range(3):  # symbols of level 1, 2 and the class
            same = all(tree[level] == trees[0][level] for tree in trees)
            assert same or level + 1 < redraw, "above what is redrawn nothing differs"
            differ[level] += not same
        assert len({str(leaves_of(image, 4, 3)) for image in film}) == 3
    assert (differ[: redraw - 1] == 30).all() and not differ[redraw - 1 :].any()


def test_a_view_never_is_a_second_tree_of_the_class():
    with pytest.raises(DataError, match="redraw=3 of levels=3; expected 1 to 2: a view with another production of the"):
        rhm.Rhm(levels=3, redraw=3)


def test_labels_change_no_bit_of_what_is_learned(few):
    """Condition iv: other labels, the same weights, to the bit."""
    data = rhm.Rhm(levels=2, symbols=6, synonyms=6).load("nowhere", frames=3)
    given = {"views": "motion", "network": "8 pool, 8 pool", "batch": 16, "epochs": 1, "rule": "ll", "threads": 1}
    weights = []
    for labels in (data.train_labels, np.roll(data.train_labels, 7)):
        one = ns.Experiment(data=ns.Dataset(data.name, data.train_images, labels, *_rest(data)), **given).fit()
        weights.append({name: array.copy() for name, array in one.model.state().items()})
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert one.preflight().plausible


def _rest(data):
    return data.test_images, data.test_labels, data.classes


def test_a_function_of_the_seeds(few):
    digests = {}
    for name, (seed, grammar) in {"one": (0, 0), "again": (0, 0), "trees": (1, 0), "rules": (0, 1)}.items():
        data = rhm.Rhm(grammar=grammar).load("nowhere", seed=seed)
        parts = (data.train_images, data.train_labels, data.test_images, data.test_labels)
        digests[name] = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    assert digests["one"] == digests["again"] and len(set(digests.values())) == 3
    assert digests["one"].startswith(GOLDEN), "pictures of the same seed have changed"


GOLDEN = "72a8e7d5"


def test_no_test_picture_is_one_of_training(few):
    data = rhm.Rhm(levels=2, symbols=3, synonyms=2, branches=4).load("nowhere")  # 96 pictures in all
    seen = {image.tobytes() for image in data.train_images}
    assert not any(image.tobytes() in seen for image in data.test_images)


def test_a_grammar_that_is_too_small(monkeypatch):
    with pytest.raises(DataError, match="a grammar of 16 pictures for 8192 training and 2048 test pictures"):
        loading.load("rhm", symbols=2, synonyms=2, levels=2, branches=2)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"synonyms": 9, "symbols": 8, "branches": 2}, "at most 8, so that all tuples of a level differ"),
        ({"branches": 5, "levels": 6}, "15625 leaves; expected 4096 at most"),
        ({"symbols": 1}, "symbols=1"),
    ],
)
def test_what_cannot_be(given, words):
    with pytest.raises((DataError, WiringError), match=words):
        rhm.Rhm(**given) if "symbols" not in given or len(given) > 1 else loading.load("rhm", **given)


def test_other_branches_stand_in_a_row(few):
    source = rhm.Rhm(symbols=4, synonyms=3, levels=3, branches=2)
    data = source.load("nowhere")
    assert data.image_shape == (1, 8, 4)
    leaves = data.train_images[0, 0].argmax(axis=-1).tolist()
    assert parse(source.grammar, leaves)[-1] == [data.train_labels[0]]


def test_the_benchmark_in_small(few, capsys, tmp_path):
    rhm_bench = pytest.importorskip("neurosim.bench.rhm")
    pytest.importorskip("matplotlib", reason="the picture needs the extra `plots`")
    rhm_bench.main(
        [
            "--rules",
            "ll,floor",
            "--samples",
            "64",
            "--seeds",
            "1",
            "--batches",
            "2",
            "--out",
            str(tmp_path / "rows.json"),
        ]
    )
    printed = capsys.readouterr().out
    assert "| ll | " in printed and "| floor | " in printed and (tmp_path / "rows.json").is_file()
    rows = [rhm_bench.Row("ll", 64, 0, [0.5, 0.25], 1.0), rhm_bench.Row("ll", 64, 1, [0.5, 0.75], 1.0)]
    assert "| ll | 62.5 (50.0 to 75.0; layers 50, 50) |" in rhm_bench.table(rows)
    rhm_bench.main(["--again", str(tmp_path / "rows.json"), "--figure", str(tmp_path / "rows.png")])
    assert capsys.readouterr().out.strip().splitlines() == printed.strip().splitlines()[-4:]
    with Image.open(tmp_path / "rows.png") as picture:
        assert picture.size[0] > 500
    with pytest.raises(SystemExit):
        rhm_bench.main(["--rules", "lll"])
