"""Read-outs are kept by data and settings, and taken from there; floors in a cache; results of other data and weights."""

import json
import re

import numpy as np
import pytest
from neurosim.cli.main import main

import neurosim as ns
from neurosim.errors import DataError
from neurosim.readout import kept
from neurosim.readout.curve import Side
from neurosim.readout.kept import Floors

TINY = {"network": "4 hardtanh, 6 pool", "batch": 10, "epochs": 1, "lags": 5, "labels": (12, 40), "threads": 1}


def some(seed, count=60, shape=(8, 8, 3)):
    """Pictures of three kinds that differ in where they are bright."""
    rng, labels = np.random.default_rng(seed), np.arange(count) % 3
    images = rng.integers(0, 160, (count, *shape))
    for kind in range(3):
        images[labels == kind, 2 * kind : 2 * kind + 3] += 90
    return {"images": images.astype(np.uint8), "labels": labels}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """The user's cache folder, empty."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NEUROSIM_DATA", str(folder))
    return folder


@pytest.fixture
def run(tmp_path):
    """A trained run on a file, not read out yet."""
    np.savez(tmp_path / "mine.npz", **some(0))
    np.savez(tmp_path / "other.npz", **some(1, 90))
    return ns.Experiment(data=str(tmp_path / "mine.npz"), **TINY).fit(tmp_path / "a")


def evaluate(capsys, *words, code=0):
    """The command; gives what it printed."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", *map(str, words)])
    printed = capsys.readouterr()
    assert (ended.value.code or 0) == code, printed
    return printed.out if code == 0 else printed.err


def files(run):
    return {path.name: path.read_text("utf-8") for path in (run.run.folder / "results").iterdir()}


def test_every_read_out_has_a_file_and_none_is_overwritten(run, capsys):
    folder = run.run.folder
    evaluate(capsys, folder)
    first = files(run)
    (name,) = first
    assert re.fullmatch(r".*mine.npz-lbfgs-40-[0-9a-f]{8}\.json", name)
    own = json.loads((folder / "results.json").read_text("utf-8"))
    record = json.loads(first[name])
    assert record["data"].endswith("mine.npz") and {key: record[key] for key in own} == own
    evaluate(capsys, folder, "--readout", "knn")
    evaluate(capsys, folder, "--data", folder.parent / "other.npz")
    now = files(run)
    assert len(now) == 3 and now[name] == first[name]
    assert json.loads((folder / "results.json").read_text("utf-8"))["readout"] == "knn"
    assert {json.loads(text)["data"].rsplit("/", 1)[-1] for text in now.values()} == {"mine.npz", "other.npz"}


def test_a_second_time_it_is_taken_from_its_file(run, capsys, monkeypatch):
    folder = run.run.folder
    first = evaluate(capsys, folder)
    assert "cache" not in first
    monkeypatch.setattr("neurosim.training.reading.compare", None)  # nothing is read out
    again = evaluate(capsys, folder)
    assert again.startswith(first) and "cache     " in again and "were read out before" in again
    experiment = ns.load(folder)
    assert experiment.readout(cached=True).taken
    with pytest.raises(TypeError):
        experiment.readout()  # which asks anew
    assert "'NoneType' object is not callable" in evaluate(capsys, folder, "--no-cache", code=70)


@pytest.mark.parametrize("change", ["weights", "data", "labels", "seed", "settings", "code", "broken"])
def test_what_differs_is_read_out_anew(run, change, monkeypatch, tmp_path):
    read = run.readout(cached=True)
    run.write_results(read)
    assert run.readout(cached=True).taken and not read.taken
    again = ns.load(run.run.folder, **({"readout": "knn"} if change == "settings" else {}))
    if change == "weights":
        weight = again.model.network.synapses[0].weight
        weight.put(np.nextafter(weight.host(), np.float32(9)))
    elif change in ("data", "labels"):
        arrays = some(0)
        if change == "data":
            arrays["images"][7, 3, 3, 1] ^= 1
        else:
            arrays["labels"] = arrays["labels"][::-1]
        np.savez(tmp_path / "mine.npz", **arrays)
    elif change == "seed":
        again.model.network.seed += 1  # of the floor
    elif change == "code":
        monkeypatch.setattr(kept, "of_code", lambda: "other")
    elif change == "broken":
        for path in (run.run.folder / "results").iterdir():
            path.write_text("{", encoding="utf-8")
    assert not again.readout(cached=True).taken


def test_numbers_instead_of_words_or_nothing(run, capsys):
    folder = run.run.folder
    found = json.loads(evaluate(capsys, folder, "--json"))
    assert found["taken"] is None and found["data"].endswith("mine.npz")
    kept_there = json.loads((folder / "results.json").read_text("utf-8"))
    assert kept_there.items() <= found.items() and "results" in json.loads(evaluate(capsys, folder, "--json"))["taken"]
    assert evaluate(capsys, folder, "--quiet") == ""


def test_the_report_lists_every_read_out(run, tmp_path, capsys):
    folder = run.run.folder
    evaluate(capsys, folder)
    assert "All read-outs" not in (folder / "report.html").read_text("utf-8")  # there is one, which the page shows
    own = (folder / "results.json").read_text("utf-8")
    np.savez(tmp_path / "other.npz", **some(3))
    evaluate(capsys, folder, "--data", tmp_path / "other.npz")
    page = (folder / "report.html").read_text("utf-8")
    assert "All read-outs" in page and all(f"results/{name}" in page for name in files(run))
    assert "other.npz" in page and (folder / "results.json").read_text("utf-8") == own


def test_a_read_out_comes_back_from_its_record_to_the_last_bit(run):
    for words in ({}, {"readout": "knn"}, {"labels": (12, 500)}):
        read = ns.load(run.run.folder, **words).readout()
        record = json.loads(json.dumps(read.to_json() | {"left_out": list(read.left_out)}))
        again = kept.from_json(record)
        assert again == read and str(again) == str(read) and np.array_equal(again.right, read.right)
    assert read.left_out == (500,)


def test_floors_are_shared_among_runs_of_one_network_data_and_seed(tmp_path, cache, monkeypatch):
    np.savez(tmp_path / "mine.npz", **some(0))
    one = ns.Experiment(data=str(tmp_path / "mine.npz"), **TINY).fit()
    plain = one.readout()
    assert not (cache / "floors").exists()  # unless it is asked for
    assert one.readout(cached=True) == plain and len(list((cache / "floors").iterdir())) == 1
    other = ns.Experiment(data=str(tmp_path / "mine.npz"), rule="urf", **TINY).fit()
    wanted, seen = other.readout(), []
    assert other.readout(seen.append, cached=True) == wanted
    assert seen and not any("floor" in line for line in seen)
    for words in ({"seed": 1}, {"network": "4 hardtanh, 7 pool"}, {"readout": "knn"}):
        ns.Experiment(data=str(tmp_path / "mine.npz"), **(TINY | words)).fit().readout(cached=True)
    assert len(list((cache / "floors").iterdir())) == 4


def test_a_floor_that_is_broken_or_cannot_be_kept_is_read_out_anew(tmp_path):
    side = Side({(1, 12): np.array([[True, False]])}, {(1, 12): np.array([0.5])})
    floors = Floors(tmp_path / "floors")
    assert floors.find("k") is None
    floors.keep("k", side)
    found = floors.find("k")
    assert found is not None
    np.testing.assert_array_equal(found.right[1, 12], side.right[1, 12])
    np.testing.assert_array_equal(found.score[1, 12], side.score[1, 12])
    path = tmp_path / "floors" / "k.npz"
    path.write_bytes(path.read_bytes()[:-30])
    assert floors.find("k") is None
    (tmp_path / "file").write_bytes(b"")
    Floors(tmp_path / "file").keep("k", side)
    assert [entry.name for entry in (tmp_path / "floors").iterdir()] == ["k.npz"]


def test_other_data_must_be_of_the_same_size_and_have_labels(run, tmp_path, capsys):
    np.savez(tmp_path / "large.npz", **some(2, shape=(16, 16, 3)))
    np.savez(tmp_path / "bare.npz", images=some(0)["images"])
    for name, words in (("large", "are 16x16x3; expected 8x8x3"), ("bare", "has no labels for a read-out")):
        line = evaluate(capsys, run.run.folder, "--data", tmp_path / f"{name}.npz", code=2)
        assert words in line and line.count("\n") == 1
    with pytest.raises(DataError):
        run.readout(data=some(2, shape=(16, 16, 3)))
    assert not (run.run.folder / "results").exists()


def test_weights_from_a_file_in_a_run_and_alone(run, tmp_path, capsys):
    folder, weights = run.run.folder, tmp_path / "m.npz"
    table = evaluate(capsys, folder)
    ns.export.write(run, weights)
    before, own = files(run), (folder / "results.json").read_text("utf-8")
    alone = evaluate(capsys, "--weights", weights)
    assert alone == table
    assert "cache" in evaluate(capsys, folder, "--weights", weights)  # they are the run's own
    other = ns.load(folder)
    other.model.network.synapses[0].weight.put(0 * other.model.network.synapses[0].weight.host())
    ns.export.write(other, weights, force=True)
    changed = evaluate(capsys, folder, "--weights", weights)
    assert changed != table and len(files(run)) == 2 and before.items() < files(run).items()
    assert (folder / "results.json").read_text("utf-8") == own
    for words, said in (
        ([], "nothing to read out; expected the folder of a run, or --weights"),
        ([folder, "--network", "4 pool"], "--network beside"),
        (["--weights", weights, "--network", "4 hardtanh, 7 pool"], "W2 in"),
        (["--weights", tmp_path / "none.npz"], "no file"),
    ):
        assert said in evaluate(capsys, *words, code=2)


def test_results_of_an_earlier_version_are_kept_beside(run):
    folder = run.run.folder
    (folder / "results.json").write_text(json.dumps({"readout": "lbfgs", "test_accuracy": 0.5}), encoding="utf-8")
    run.write_results(run.readout())
    assert json.loads((folder / "results" / "earlier-lbfgs.json").read_text("utf-8"))["test_accuracy"] == 0.5
