"""Every reader of a file: whole files, damage from within, and what reads them as the program does."""

import contextlib
import io
import json
import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mutate
import numpy as np
from PIL import Image

import neurosim as ns
from neurosim.audit.replay.certificate import Certificate
from neurosim.data.pictures import decode, store
from neurosim.data.sources import idx, mat, npz, unpickle, webdataset
from neurosim.data.toys import toys
from neurosim.errors import NeurosimError
from neurosim.readout import kept as floors
from neurosim.report import page, seeds
from neurosim.report.compare import lines
from neurosim.reproduce.results import read_result
from neurosim.training import folder, kept, probes, toml
from neurosim.training.folder import Run
from neurosim.training.record import Recording
from neurosim.training.trust import foreign_of

REFUSALS = (NeurosimError, decode.UnreadableError)


@dataclass
class Reader:
    """One kind of file.

    Args:
        name: of the file.
        seeds: whole ones, as bytes.
        inner: damage with container and sums kept valid, of a number's random draws and of one of the seeds.
        read: as the program does.
    """

    name: str
    seeds: list[bytes]
    inner: Callable
    read: Callable


def _record(seed):
    """Damage of a file that is one record."""
    held = json.loads(seed)
    return lambda rng, data: json.dumps(mutate.record(rng, held)).encode()


def _arrays(data):
    with np.load(io.BytesIO(data)) as file:
        return {name: file[name] for name in file.files}


class Lab:
    """A folder with a run in it, of which one file at a time is damaged.

    Args:
        place: an empty folder.
    """

    def __init__(self, place):
        self.place = Path(place)
        rng = np.random.default_rng(1)
        images, labels = rng.integers(0, 256, (40, 8, 8, 3)).astype(np.uint8), np.arange(40) % 4
        self.images = {"images": images, "labels": labels, "test_images": images[::2], "test_labels": labels[::2]}
        words = {
            "network": "3 pool, 4 pool",
            "batch": 8,
            "epochs": 1,
            "readout_images": 20,
            "labels": "10,20",
            "threads": 1,
        }
        np.savez(self.place / "some.npz", **self.images)
        self.experiment = ns.Experiment(data=str(self.place / "some.npz"), record="W1", **words).fit(self.place / "run")
        self.experiment.write_results(self.experiment.readout(cached=True))
        self.run = Run.open(self.place / "run")
        for name in ("model.npz", "model.safetensors"):
            ns.export.write(self.experiment, self.place / name)
        self.readers = {reader.name: reader for reader in (*self._of_runs(), *self._of_models(), *self._of_data())}

    def _at(self, name):
        return (self.place / "run" / name).read_bytes()

    def _of_runs(self):
        run = self.run
        configuration, results = self._at("config.json"), self._at("results.json")
        checkpoint = self._at("checkpoint.npz")

        def opened(path):
            there = Run.open(path.parent)
            foreign_of(there.config), there.wiring(), there.image(), there.begun_in(), there.config.flat()

        yield Reader("run/config.json", [configuration], _record(configuration), opened)
        yield Reader("run/results.json", [results], _record(results), self._results)
        audit = self._at("audit.json")
        yield Reader("run/audit.json", [audit], _record(audit), self._audit)
        table = self._at("metrics.csv")
        yield Reader("run/metrics.csv", [table], lambda rng, data: mutate.text(rng, data.decode()), self._metrics)
        yield Reader("run/checkpoint.npz", [checkpoint], self._checkpoint, self._restored)
        notes = self._at("record/record.jsonl")
        yield Reader("run/record/record.jsonl", [notes], self._notes, lambda path: Recording(run).lines())
        state = min((self.place / "run" / "record").glob("state-*.npz"))
        arrays = _arrays(state.read_bytes())
        yield Reader(
            f"run/record/{state.name}",
            [state.read_bytes()],
            lambda rng, data: mutate.archive(rng, arrays),
            lambda path: Recording(run).state(path.name),
        )
        (found,) = (self.place / "run" / "results").glob("*.json")
        readout = found.rename(found.with_name("readout.json"))
        yield Reader(
            f"run/results/{readout.name}",
            [readout.read_bytes()],
            _record(readout.read_bytes()),
            lambda path: list(kept.every(run)),
        )
        recorded = _arrays(self._at("recorded.npz"))
        yield Reader(
            "run/recorded.npz",
            [self._at("recorded.npz")],
            lambda rng, data: mutate.archive(rng, recorded),
            lambda path: probes._unpack(path, self.place / "recorded"),
        )
        cell = json.dumps(
            {
                "format": 1,
                "neurosim": ns.__version__,
                "cell": "ll",
                "seed": 0,
                "made with": {"a": 1},
                "test_accuracy": 0.5,
            }
            | {"images_seen": 8, "seconds": 1.5, "verdict": "plausible", "audit": "x"}
        ).encode()
        yield Reader("cell.json", [cell], _record(cell), lambda path: read_result(path, {"a": 1}))
        table = self.experiment.config.to_toml().encode()
        yield Reader("mine.toml", [table], lambda rng, data: mutate.text(rng, data.decode()), toml.read_toml)

    def _results(self, path):
        run = Run.open(path.parent)
        if run.results() is not None:
            page.page(run, {"W1": np.zeros((3, 3, 3, 4), np.float32)})
            arm = seeds.Arm.of("a", [path.parent])
            for _ in lines([arm, arm]), seeds.table(arm):
                list(_)

    def _audit(self, path):
        Run.open(path.parent).audited()
        _ = Certificate(path).outside

    def _metrics(self, path):
        self.run.diagnoses()
        rows = self.run.metrics()
        page._metrics(rows) if rows else None

    def _restored(self, path):
        arrays, state = self.run.checkpoint()
        self.experiment.model.restore(arrays, state.get("ready", True))
        self.experiment.trainer.place(state)

    def _checkpoint(self, rng, data):
        """Another state or other arrays, with the digest that goes with them."""
        arrays = _arrays(data)
        meta = json.loads(arrays.pop("meta").tobytes())
        if rng.integers(0, 2):
            name = list(arrays)[int(rng.integers(0, len(arrays)))]
            arrays[name] = mutate.array(rng, arrays[name])
        else:
            meta["state"] = mutate.record(rng, meta["state"])
        with contextlib.suppress(Exception):  # of what is no state at all; the digest is then of something else
            meta["digest"] = folder._digest(arrays, meta["state"])
        meta = mutate.record(rng, meta) if rng.integers(0, 4) == 0 else meta
        text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        return mutate.zipped([(f"{n}.npy", mutate.npy(a)) for n, a in {"meta": text, **arrays}.items()], False)

    def _notes(self, rng, data):
        held = [json.loads(line) for line in data.splitlines()]
        number = int(rng.integers(0, len(held)))
        held[number] = mutate.record(rng, held[number])
        return "".join(json.dumps(line) + "\n" for line in held).encode()

    def _of_models(self):
        def read(path):
            found, about = ns.export.read(path)
            ns.export.put(self.experiment, found, str(path))
            if "config" in about:
                from neurosim.training.config import Config

                foreign_of(Config.from_json(about["config"]))

        model = (self.place / "model.npz").read_bytes()
        arrays = _arrays(model)

        def changed(rng, values):
            if values.dtype == np.uint8:
                return np.frombuffer(json.dumps(mutate.record(rng, json.loads(values.tobytes()))).encode(), np.uint8)
            return mutate.array(rng, values)

        yield Reader("model.npz", [model], lambda rng, data: mutate.archive(rng, arrays, changed), read)
        yield Reader("model.safetensors", [(self.place / "model.safetensors").read_bytes()], mutate.tensors, read)
        floor = {"right 1 10": np.ones((2, 20), bool), "score 1 10": np.ones((2, 3))}
        yield Reader(
            "floor.npz",
            [_saved(floor)],
            lambda rng, data: mutate.archive(rng, floor),
            lambda path: floors.Floors(path.parent).find("floor"),
        )

    def _of_data(self):
        yield Reader("set.npz", [_saved(self.images)], lambda rng, data: mutate.archive(rng, self.images), npz.load)
        toy = toys.render(4, 0)
        drawn = {"train_images": toy[0], "train_labels": toy[1], "test_images": toy[0], "test_labels": toy[1]}
        shape = toy[0].shape
        yield Reader(
            "toys.npz",
            [_saved(drawn)],
            lambda rng, data: mutate.archive(rng, drawn),
            lambda path: toys._read(path, {"train": shape, "test": shape}),
        )
        cache = json.dumps({"order": list(range(5)), "train": 4, "broken": {"5": "cut short"}}).encode()
        pixels = mutate.npy(self.images["images"][:5])
        (self.place / "pictures.npy").write_bytes(pixels)
        (self.place / "maps.json").write_bytes(cache)
        yield Reader("pictures.json", [cache], _record(cache), lambda path: store._known(path.with_suffix(".npy"), 6))
        yield Reader(
            "maps.npy",
            [pixels],
            lambda rng, data: mutate.raw(rng, data[:128]) + data[128:],
            lambda path: store._known(path, 6),
        )
        rows = np.ascontiguousarray(np.arange(2 * 3072, dtype=np.int64).astype(np.uint8).reshape(2, 3072))
        batches = [
            pickle.dumps({"data": rows, "labels": [1, 2], "fine_labels": [3, 4]}, protocol) for protocol in (0, 2)
        ]
        yield Reader("batch", batches, _pickled, lambda path: unpickle.unpickle(path.read_bytes(), path))
        images = b"\0\0\x08\3" + np.array([4, 5, 6], ">u4").tobytes() + bytes(120)
        yield Reader("train-images-idx3-ubyte", [images], mutate.packed, idx._read)
        from scipy.io import savemat

        matlab = []
        for form, small in (("5", False), ("5", True)):
            out = io.BytesIO()
            x = (
                self.images["images"][:4]
                if form == "5"
                else self.images["images"][:4, :, :, 0].reshape(4, -1).astype(float)
            )
            savemat(out, {"X": x, "y": np.arange(4.0)[:, None]}, format=form, do_compression=small)
            matlab.append(out.getvalue())
        yield Reader("set.mat", matlab, mutate.matlab, lambda path: mat._read(path, ""))
        yield from self._of_pictures()

    def _of_pictures(self):
        def read(path):
            with open(path, "rb") as file:
                decode.look(file)
                file.seek(0)
                decode.decode(file, decode.Fitting(8))

        image = Image.fromarray(self.images["images"][0])
        for kind, inner in (
            ("PNG", mutate.png), ("JPEG", mutate.raw), ("GIF", mutate.raw), ("BMP", mutate.raw), ("TIFF", mutate.raw),
            ("WEBP", mutate.raw), ("PPM", lambda rng, data: mutate.text(rng, data.decode("latin1"))),
        ):  # fmt: skip
            whole = []
            for mode in ("RGB", "P", "L"):
                out = io.BytesIO()
                image.convert("RGB" if kind in ("WEBP", "JPEG", "PPM") else mode).save(out, kind)
                whole.append(out.getvalue())
            yield Reader(f"picture.{kind.lower()}", whole, inner, read)
        files = [("a.png", _png(image)), ("a.cls", b"3"), ("b.png", _png(image)), ("b.json", b'{"label": "cat"}')]

        def shard(path):
            for item, _ in webdataset._samples(path, {}):
                with item.open() as file:
                    file.read(10)

        yield Reader(
            "shard.tar", [mutate.tar(np.random.default_rng(0), files)], lambda rng, data: mutate.tar(rng, files), shard
        )
        with contextlib.suppress(ImportError):
            yield _parquet(image)


def _png(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _saved(arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def _pickled(rng, data):
    """A whole pickle of a damaged record."""
    found = {"data": [1, 2], "labels": [1, 2], "fine_labels": [b"x", ("y", 1)], "batch_label": b"training"}
    return pickle.dumps(
        mutate.array(rng, np.zeros((2, 4), np.uint8)) if rng.integers(0, 3) == 0 else _damaged(rng, found), 2
    )


def _damaged(rng, found):
    found = dict(found)
    found[list(found)[int(rng.integers(0, len(found)))]] = mutate.VALUES[int(rng.integers(0, len(mutate.VALUES)))]
    found["data"] = mutate.array(rng, np.zeros((2, 4), np.uint8))
    return found


def _parquet(image):
    import pyarrow
    from pyarrow import parquet

    from neurosim.data.sources.parquet import _Table

    out = io.BytesIO()
    table = {"image": [{"bytes": _png(image)} for _ in range(3)], "label": [0, 1, 0]}
    parquet.write_table(pyarrow.table(table), out)

    def read(path):
        table = _Table(path)
        for row in range(min(len(table.kinds), 5)):
            with contextlib.suppress(OSError):  # what an item may raise
                table.open(row).read(4)

    return Reader("set.parquet", [out.getvalue()], mutate.raw, read)


def slow(name):
    """Whether a file is large, or much is made of what is read."""
    return name.startswith("run/results") or name.rpartition("/")[2].startswith(
        ("audit", "checkpoint", "record.", "state")
    )


class Slow(BaseException):
    """It took too long; no reader catches this."""


def one(reader, number, seed):
    """One input: (whether it is damaged within, its bytes)."""
    rng = np.random.default_rng([seed, number])
    whole = reader.seeds[number // 2 % len(reader.seeds)]
    return number % 2 == 1, (reader.inner(rng, whole) if number % 2 else mutate.raw(rng, whole))


def attempt(lab, reader, data):
    """What reading it gave: ``read``, ``refused``, or the text of a finding."""
    path = lab.place / reader.name
    path.write_bytes(data)
    try:
        reader.read(path)
        return "read"
    except REFUSALS as refusal:
        text = str(refusal)
        good = text.isprintable() and len(text) < 4000
        return "refused" if good else f"a message of {len(text)} letters: {text[:200]!r}"
    except (Exception, Slow):
        return traceback.format_exc()
