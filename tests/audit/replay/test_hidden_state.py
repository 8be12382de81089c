"""Hidden state of every kind is found by replay, and what is declared raises no alarm."""

import itertools
import subprocess
import sys
import textwrap

import pytest

from neurosim.audit import check
from neurosim.audit.replay.analysis import NOT_REPLAYED, Replay
from neurosim.audit.replay.recipe import of_name
from neurosim.audit.target import of_rule
from neurosim.training.alone import wire

NUMBERS = itertools.count()  # every file has a name of its own
TEXT, IMAGE, PAIRS = "4 hardtanh, 3 tanh", (4, 4, 3), 3
HEAD = """
    import datetime, os, pathlib, tempfile, time
    import numpy as np
    from neurosim.core.buffer import Buffer
    from neurosim.core.kernel import Kernel
    from neurosim.core.roles import Role
    from neurosim.core.step import Step
    from neurosim.rules.end_to_end import EndToEnd

    def nudge(function, **more):
        "A kernel that adds what a function gives to a weight."
        kernel = Kernel("nudge", updates={"weight": "..."}, equation="w += f", **more)
        def form(weight, **scalars):
            weight += weight.dtype.type(1e-3) * function(weight, **scalars)
        kernel._forms["cpu"] = form
        return kernel

    class Base(EndToEnd):
        "Fixed feedback, and a step more."
        name, summary, feedback = "mine", "ours", "rf"
        kernel, scalars = None, {}
        def wire(self, phase):
            yield from super().wire(phase)
            weight = self.network.projections[0].synapse.weight
            if self.kernel is not None:
                yield Step(self.kernel, "a nudge", "w += f", {"weight": weight}, scalars=self.scalars)
"""
HIDDEN = {
    "a closure with a copy made at construction": """
        class MyRule(Base):
            def __init__(self, network, loss):
                super().__init__(network, loss)
                hidden = network.projections[1].synapse.weight.array.sum()
                self.kernel = nudge(lambda w: hidden)
    """,
    "a copy made when the kernel first runs": """
        class MyRule(Base):
            seen = []
            def __init__(self, network, loss):
                super().__init__(network, loss)
                other = network.projections[1].synapse.weight
                def first(w):
                    if not self.seen:
                        self.seen.append(float(other.array.sum()))
                    return self.seen[0]
                self.kernel = nudge(first)
    """,
    "a global that counts": """
        count = [0]
        def f(w):
            count[0] += 1
            return count[0]
        class MyRule(Base):
            kernel = nudge(f)
    """,
    "a habit after six batches, of which no process that did nothing else runs so many": """
        count = [0]
        def f(w):
            count[0] += 1
            return count[0] > 5
        class MyRule(Base):
            kernel = nudge(f)
    """,
    "a default argument": """
        def f(w, past=[]):
            past.append(float(w.sum()))
            return past[0]
        class MyRule(Base):
            kernel = nudge(f)
    """,
    "an attribute that draw sets": """
        class MyRule(Base):
            at = 0
            def __init__(self, network, loss):
                super().__init__(network, loss)
                self.kernel = nudge(lambda w: self.at)
            def draw(self, epoch, batch):
                super().draw(epoch, batch)
                self.at = 10 * epoch + batch
    """,
    "an attribute that phase sets": """
        class MyRule(Base):
            at = 0
            def __init__(self, network, loss):
                super().__init__(network, loss)
                self.kernel = nudge(lambda w: self.at)
            def phase(self, epoch, batch, asked):
                self.at = 10 * epoch + batch
                return super().phase(epoch, batch, asked)
    """,
    "a scalar that changes from batch to batch": """
        class MyRule(Base):
            kernel = nudge(lambda w, at: at, scalars=("at",))
            scalars = {"at": 0.0}
            def draw(self, epoch, batch):
                super().draw(epoch, batch)
                self.scalars = {"at": float(10 * epoch + batch)}
    """,
    "a file": """
        def f(w):
            path = pathlib.Path(tempfile.gettempdir()) / f"neurosim-hidden-{os.environ.get('USER', '')}.txt"
            past = float(path.read_text()) if path.is_file() else 0.0
            path.write_text(str(past + 1))
            return past
        class MyRule(Base):
            kernel = nudge(f)
    """,
    "the clock": """
        class MyRule(Base):
            kernel = nudge(lambda w: datetime.date.today().toordinal() % 7)
    """,
    "another clock": """
        class MyRule(Base):
            kernel = nudge(lambda w: time.strftime("%j") > "" and time.localtime().tm_year)
    """,
    "the current folder": """
        class MyRule(Base):
            kernel = nudge(lambda w: len(os.getcwd()))
    """,
    "the process": """
        class MyRule(Base):
            kernel = nudge(lambda w: os.getpid() % 997)
    """,
    "random numbers of nobody": """
        class MyRule(Base):
            kernel = nudge(lambda w: np.random.random())
    """,
    "leftovers in an array that does not last": """
        left = np.zeros(1)
        def f(w):
            past = left[0]
            left[0] = w.sum()
            return past
        class MyRule(Base):
            kernel = nudge(f)
    """,
}
REPLACING = """
    from neurosim.audit.graph.structure import Structure
    from neurosim.core.kernel import Kind
    from neurosim.kernels.convolution import deliver_convolution
    from neurosim.kernels.dense import deliver_dense, hebbian_dense
    from neurosim.parts.synapse import Synapse

    def form(post, weight, error, was=deliver_convolution.form("cpu")):
        was(post, weight, error)
    deliver_convolution._forms["cpu"] = form

    deliver_dense.kind = Kind.RESPOND

    def hebbian(self, pre, post, was=Synapse.hebbian):
        yield from was(self, pre, post)
    Synapse.hebbian = hebbian

    tanh = np.tanh
    np.tanh = lambda *a, **k: tanh(*a, **k)

    Structure.analyse = lambda self: self.evidence

    class MyRule(Base):
        pass
"""
REPLACED = (
    "neurosim.kernels.convolution.deliver_convolution",
    "neurosim.kernels.dense.deliver_dense",
    "neurosim.parts.synapse.Synapse.hebbian",
    "numpy.tanh",
    "neurosim.audit.graph.structure.Structure.analyse",
)
DECLARED = {
    "nothing more": """
        class MyRule(Base):
            pass
    """,
    "constants": """
        class MyRule(Base):
            kernel = nudge(lambda w, size, many=np.arange(3.0): size * many.sum(), scalars=("size",))
            scalars = {"size": 0.5}
    """,
    "random numbers that are declared": """
        class MyRule(Base):
            def __init__(self, network, loss):
                super().__init__(network, loss)
                self.noise = Buffer("noise", ("one",), (1,), Role.NOISE, "mine", given=True)
                self.noisy = Kernel("noisy", reads={"noise": "1"}, updates={"weight": "..."}, equation="w += n")
                @self.noisy.cpu
                def _(noise, weight):
                    weight += noise[0]
            def draw(self, epoch, batch):
                super().draw(epoch, batch)
                self.noise.put(np.random.default_rng([self.network.seed, epoch, batch]).normal(size=1) * 1e-3)
            def wire(self, phase):
                yield from super().wire(phase)
                weight = self.network.projections[0].synapse.weight
                yield Step(self.noisy, "noise", "w += n", {"noise": self.noise, "weight": weight})
    """,
    "a trace that lasts": """
        class MyRule(Base):
            def __init__(self, network, loss):
                super().__init__(network, loss)
                self.trace = Buffer("age", ("one",), (1,), Role.MEMORY, "mine", np.int64, lasts=True)
                self.older = Kernel("older", updates={"weight": "...", "age": "1: index"}, equation="w += a")
                @self.older.cpu
                def _(weight, age):
                    age[0] += 1
                    weight += weight.dtype.type(1e-4 * age[0])
            def wire(self, phase):
                yield from super().wire(phase)
                weight = self.network.projections[0].synapse.weight
                yield Step(self.older, "ageing", "w += a", {"weight": weight, "age": self.trace})
    """,
}


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Gives ``mine(source)``: the evidence of replaying the rule of a file that somebody wrote."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])

    def mine(source):
        name = f"hidden_rules_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(HEAD) + textwrap.dedent(source), encoding="utf-8")
        target = of_rule(wire(f"{name}:MyRule", TEXT, IMAGE, PAIRS))
        target.recipe = of_name(f"{name}:MyRule", TEXT, IMAGE, PAIRS, "hinge", None, {})
        return Replay(target).analyse()

    return mine


@pytest.mark.parametrize("kind", HIDDEN)
def test_hidden_state_is_found(mine, kind):
    found = mine(HIDDEN[kind])
    assert found.findings and {f.condition for f in found.findings} == {"declared"}, found
    assert all("a nudge" in f.text for f in found.findings), found.findings
    assert not any("no bit differs" in line for line in found.checked["declared"])


def test_what_was_replaced_in_memory_is_found_by_name(tmp_path):
    (tmp_path / "hidden_rules.py").write_text(textwrap.dedent(HEAD) + textwrap.dedent(REPLACING), encoding="utf-8")
    code = """
from neurosim.audit.replay import analysis
from neurosim.audit.replay.recipe import of_name
from neurosim.audit.target import of_rule
from neurosim.training.alone import wire
import neurosim.audit.checks
given = ("hidden_rules:MyRule", "4 hardtanh, 3 tanh", (4, 4, 3), 3, "hinge")
target = of_rule(wire(*given))
analysis.MOST = 100
for recipe in (of_name(*given, None, {}), None):  # of a live object code is compared all the same
    target.recipe = recipe
    print(*(f.text for f in analysis.Replay(target).analyse().findings))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, encoding="utf-8", check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and all("not what the package's files say" in line for line in lines), done
    assert all(
        f"{name}," in f"{line}," for name in (*REPLACED, "neurosim.audit.replay.analysis.MOST") for line in lines
    )


@pytest.mark.parametrize("kind", DECLARED)
def test_what_is_declared_raises_no_alarm(mine, kind):
    found = mine(DECLARED[kind])
    assert not found.findings and not found.undecided, found
    assert any("no bit differs" in line for line in found.checked["declared"])


def test_arrays_are_as_before(mine):
    target = of_rule(wire("urf", TEXT, IMAGE, PAIRS))
    target.recipe = of_name("urf", TEXT, IMAGE, PAIRS, "hinge", None, {})
    before = {b.name: b.host().copy() for b in target.plans["all layers"].buffers if b.lasts or b.given}
    assert not Replay(target).analyse().findings
    assert all((b.host() == before[b.name]).all() for b in target.plans["all layers"].buffers if b.name in before)


def test_a_live_object_is_no_full_certificate(build):
    verdict = check(build("rf"))
    answer = verdict.table["declared"]["replay"]
    assert answer.verdict == "cannot tell" and answer.evidence[0].startswith(NOT_REPLAYED)
    assert any(NOT_REPLAYED in line for line in verdict.not_asked)


def test_what_cannot_be_built_elsewhere_is_said(mine):
    found = mine("""
        class MyRule(Base):
            def __init__(self, network, loss):
                super().__init__(network, loss)
                import sys
                if "neurosim.audit.replay.worker" in sys.orig_argv:
                    raise ValueError("not here")
    """)
    assert (
        found.undecided["declared"].startswith(NOT_REPLAYED) and "ValueError: not here" in found.undecided["declared"]
    )
