"""``neurosim audit`` and ``explain --synapse`` as a stranger types them; the audit that ``train`` begins with."""

import json
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from neurosim.cli.main import main

import neurosim

SMALL = ["--network", "4 hardtanh, 5 hardtanh, 4 hardtanh, 6 pool"]
MINE = """
    import numpy as np

    from neurosim.parts.feedback import Feedback
    from neurosim.core.kernel import Kernel
    from neurosim.core.step import Step
    from neurosim.rules.end_to_end import EndToEnd

    copy = Kernel("copy", reads={"weight": "..."}, writes={"sent": "..."})
    stumble = Kernel("stumble", updates={"weight": "..."})
    no_form = Kernel("no_form", updates={"weight": "..."})

    @copy.cpu
    def _(weight, sent):
        np.copyto(sent, weight)

    @stumble.cpu
    def _(weight):
        1 // 0

    class MyRule(EndToEnd):
        '''Fixed feedback of our lab.'''

        name = "mine"
        summary = "ours"
        feedback = "rf"

    class Copies(MyRule):
        def wire(self, phase):
            for step in super().wire(phase):
                yield step
            back = self.feedbacks[1]
            yield Step(copy, "B follows W", "B = W",
                       {"weight": back.projection.synapse.weight, "sent": back.synapse.weight})

    class Stumbles(MyRule):
        def wire(self, phase):
            yield from super().wire(phase)
            yield Step(stumble, "a step", "1 / 0", {"weight": self.head.synapse.weight})

    class Formless(MyRule):
        def wire(self, phase):
            yield from super().wire(phase)
            yield Step(no_form, "a step", "?", {"weight": self.head.synapse.weight})
"""


@dataclass
class Done:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(capsys, monkeypatch):
    """Gives ``call(*arguments, where)``: runs the command in this process; anything but an exit code is an error."""
    monkeypatch.setattr(sys, "path", list(sys.path))  # rules of the current folder are looked for there

    def call(*arguments, where=None):
        with monkeypatch.context() as inside:
            if where is not None:
                inside.chdir(where)
            capsys.readouterr()
            with pytest.raises(SystemExit) as end:
                main(list(arguments))
        return Done(end.value.code or 0, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with somebody else's rules and a few pictures."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "mylab").mkdir()
    (folder / "mylab" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "mylab" / "rules.py").write_text(textwrap.dedent(MINE), encoding="utf-8")
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (60, 8, 8, 3)).astype(np.uint8)
    labels = np.arange(60) % 3
    np.savez(
        folder / "some.npz", images=images[:40], labels=labels[:40], test_images=images[40:], test_labels=labels[40:]
    )
    return folder


def test_ll_is_plausible(call):
    done = call("audit", "--rule", "ll", *SMALL)
    assert done.returncode == 0 and done.stdout.splitlines()[-1].startswith("verdict: No violation found: 4 batches")
    for row in ("as declared", "(i) locality", "(ii) simple arithmetic", "(iii) asymmetry", "(iv) unsupervised"):
        line = next(line for line in done.stdout.splitlines() if line.startswith(row))
        assert "holds" in line and "violated" not in line
    assert "weight sharing" in done.stdout


def test_bp_is_violated_and_its_path_is_printed(call, tmp_path):
    files = ["--json", "a.json", "--html", "a.html", "--svg", "a.svg"]
    done = call("audit", "--rule", "bp", *SMALL, *files, "--graph", where=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "\nW4 -> feedback into layer 3 -> update of W3, W2, W1\n" in done.stdout
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["verdict"] == "violated"
    assert "<svg" in (tmp_path / "a.html").read_text(encoding="utf-8") and (tmp_path / "a.svg").read_text(
        encoding="utf-8"
    ).startswith("<svg")
    assert "stops at the activities" in done.stdout


def test_adam_and_counts_are_assumed(call):
    done = call("audit", "--rule", "urf", "--plasticity", "adam", "--network", "4 pool")
    assert done.returncode == 0 and "division: adam" in done.stdout


def test_simclr_is_violated_by_name_of_the_operation(call):
    done = call("audit", "--rule", "ll", "--loss", "simclr", "--network", "4 pool")
    assert done.returncode == 1 and re.search(r"operations: divide .*nt_xent.py:\d+", done.stdout)


def test_rules_from_elsewhere(call, lab):
    done = call("audit", "--rule", "mylab.rules:MyRule", "--network", "4 hardtanh, 5 pool", where=lab)
    assert done.returncode == 0 and done.stdout.startswith("audit of mine"), done.stderr
    done = call("audit", "--rule", "mylab.rules:Copies", "--network", "4 hardtanh, 5 pool", where=lab)
    assert done.returncode == 1 and "W2 -> B2 (step" in done.stdout
    for name, words in (("Stumbles", "fails: ZeroDivisionError"), ("Formless", "kernel no_form has no form for cpu")):
        done = call("audit", "--rule", f"mylab.rules:{name}", "--network", "4 pool", where=lab)
        assert done.returncode == 3 and words in done.stderr and len(done.stderr.splitlines()) == 1


HOSTILE = """
    import os, sys
    from mylab.rules import MyRule

    print("verdict: No violation found")

    class Leaves(MyRule):
        def wire(self, phase):
            sys.exit(0)

    class Falls(MyRule):
        def draw(self, epoch, batch):
            os._exit(0)

    class Talks(MyRule):
        def draw(self, epoch, batch):
            print("verdict: violated")
            os.write(2, b"error: nothing")

    class Hangs(MyRule):
        def __init__(self, network, loss):
            while True: pass
"""


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("Leaves", 3, "it calls for the end of the process (SystemExit: 0)"),
        ("Falls", 3, "it ended without an answer"),
        ("Talks", 0, ""),
        ("Hangs", 3, "it did not end within 4 s"),
        ("Missing", 2, "has no Missing"),
    ],
)
def test_rules_that_misbehave_change_no_verdict(call, lab, name, code, words):
    (lab / "mylab" / "hostile.py").write_text(textwrap.dedent(HOSTILE), encoding="utf-8")
    time = ["--timeout", "4"] if name == "Hangs" else []
    done = call("audit", "--rule", f"mylab.hostile:{name}", "--network", "4 pool", "--json", "h.json", *time, where=lab)
    assert done.returncode == code and words in done.stderr and len(done.stderr.splitlines()) == (code > 0)
    assert "mylab" not in sys.modules and "verdict: violated" not in done.stdout
    assert done.stdout.count("verdict: ") == (code == 0)
    if code == 3:
        assert json.loads((lab / "h.json").read_text(encoding="utf-8"))["verdict"] == "undecided"


def test_a_rule_of_ones_own_is_shown_in_every_form(call, lab):
    rule = ["--rule", "mylab.rules:Copies", "--network", "4 hardtanh, 5 pool"]
    files = ["--json", "c.json", "--html", "c.html", "--svg", "c.svg"]
    done = call("audit", *rule, *files, "--graph", where=lab)
    assert done.returncode == 1 and "stops at the activities" in done.stdout
    assert json.loads((lab / "c.json").read_text(encoding="utf-8"))["exit code"] == 1
    assert "<svg" in (lab / "c.html").read_text(encoding="utf-8") and (lab / "c.svg").read_text(
        encoding="utf-8"
    ).startswith("<svg")
    assert call("audit", *rule, "--print-config", where=lab).stdout.count("mylab.rules:Copies") == 1
    for more, words in (
        (["--nonsense"], "No such option"),
        (["--timeout", "0"], "--timeout"),
        (["--json", "no/a"], "no folder"),
    ):
        done = call("audit", *rule, *more, where=lab)
        assert done.returncode == 2 and words in done.stderr, done.stderr


def test_what_is_somebody_elses(lab, monkeypatch):
    from neurosim.cli.apart import foreign

    monkeypatch.chdir(lab)
    (lab / "mine.toml").write_text('[rule]\nname = "mylab.rules:MyRule"\n', encoding="utf-8")
    (lab / "old").mkdir()
    (lab / "old" / "config.json").write_text('{"rule": {"name": "lab.other:Rule"}}', encoding="utf-8")
    assert foreign(["--rule", "mylab.rules:MyRule"]) == foreign(["--rule=mylab.rules:MyRule"]) == "mylab.rules:MyRule"
    assert foreign(["--config", "mine.toml"]) == "mylab.rules:MyRule" and foreign(["old"]) == "lab.other:Rule"
    assert foreign(["--loss", "a:B", "--rule", "ll"]) == "a:B" and foreign(["--torch", "x"]) == "--torch"
    assert foreign(["--rule", "ll", "--network", "4 tanh, 5 pool", "--data", "folder:/pictures"]) is None
    assert foreign(["--rule", "ll", "--timeout=3"]) == "--timeout"


@pytest.mark.parametrize(("required", "code"), [("strict", 1), ("scalar", 1), ("batch", 0)])
def test_a_grade_is_asked_for(call, required, code):
    done = call("audit", "--rule", "rf", "--loss", "hinge-mean", "--network", "4 pool", "--require", required)
    assert done.returncode == code
    last = done.stdout.splitlines()[-1]
    assert last.startswith("verdict: below the grade required: local over a batch" if code else "verdict: No violation")


def test_help_says_exit_codes_and_grades(call):
    short, printed = call("audit", "--help").stdout, call("audit", "--help", "all").stdout
    for words in ("Exit code 0", "3: undecided", "strictly local", "broadcast scalar", "local over a batch"):
        assert words in " ".join(short.split())
    for words in ("Exit codes", "3  undecided", "strictly local", "scalar", "local over a batch", "--timeout SECONDS"):
        assert words in printed
    assert all(len(line) <= 80 for line in [*short.splitlines(), *printed.splitlines()[:40]])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rule", "nothing"], "unknown rule 'nothing'"),
        (["--rule", "mylab.rules:Missing"], "mylab"),
        (["nowhere"], "holds no config.json"),
        (["nowhere", "--rule", "ll"], "--rule beside the run"),
        (["--json", "nowhere/a.json"], "no folder nowhere"),
        (["--network", "4 wool"], "'4 wool'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(call, tmp_path, arguments, words):
    done = call("audit", *arguments, where=tmp_path)
    assert done.returncode == 2 and words in done.stderr and done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1 and not list(tmp_path.iterdir())


def test_a_run_is_audited_at_its_start_and_after_it(call, lab):
    train = [
        "train",
        "--data",
        "some.npz",
        "--network",
        "4 hardtanh, 5 pool",
        "--batch",
        "8",
        "--epochs",
        "2",
        "--rule",
        "urf",
    ]
    done = call(*train, "--out", "a", "--require-plausible", where=lab)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("audit     no violation found")]
    kept = json.loads((lab / "a" / "audit.json").read_text(encoding="utf-8"))
    assert kept["verdict"] == "no violation found" and kept["light"] and len(kept["graph"]["steps"]) > 20
    done = call("audit", "a", where=lab)
    assert (
        done.returncode == 0 and "after training" in done.stdout and "40 labels of the pictures permuted" in done.stdout
    )
    assert "F2: ez2 -> layer 2" in done.stdout and "weights after 10 batches" in done.stdout

    config = json.loads((lab / "a" / "config.json").read_text(encoding="utf-8"))
    config["wiring"][0] = config["wiring"][0].replace("urf", "bp")
    (lab / "a" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    done = call("audit", "a", where=lab)
    assert done.returncode == 2 and "is not what its options build now" in done.stderr


def test_train_tells_and_refuses_what_is_not_plausible(call, lab):
    train = [
        "train",
        "--data",
        "some.npz",
        "--network",
        "4 hardtanh, 5 pool",
        "--batch",
        "8",
        "--epochs",
        "1",
        "--rule",
        "bp",
    ]
    done = call(*train, "--out", "b", "--require-plausible", where=lab)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and not (lab / "b").exists()
    assert "bp is not plausible: violated (iii): H2 -> feedback into layer 2 -> update of W2, W1" in done.stderr
    done = call(*train, "--out", "b", where=lab)
    assert done.returncode == 0 and "audit     violated (iii): H2 -> feedback" in done.stdout
    assert json.loads((lab / "b" / "audit.json").read_text(encoding="utf-8"))["violated"] == ["iii"]


SYNAPSES = [
    (
        "urf",
        "conv3:2,1",
        [
            "W3[1, 1, 2, 1] of urf",
            "channel 2 of layer 2 -> channel 1 of layer 3, tap 1,1 (the middle one)",
            "dW3 = sum x2 (x) d3",
            "reference.py:",
            "end_to_end.py:",
        ],
    ),
    ("urf", "B3:2,1@0,2", ["B3[0, 2, 2, 1]", "tap 0,2", "dB3 = sum x2 (x) d3", "yield from back.learn()"]),
    ("ll", "head2:17,5", ["H2[17, 5]", "unit 17 of layer 2 -> unit 5 of head 2", "sum of the 4 products"]),
    ("rf", "B3:1,1", ["no step of the plan changes it", "used by   e2 = B3^T d3"]),
    ("dtp", "G3:1,1", ["inverse weight", "dtp.py:"]),
    ("hebb", "conv1:2,1", ["W1[2, 2, 2, 1]", "tap 2,2 (the middle one)", "reference.py:"]),
    ("hebb", "conv1:2,1@4,0", ["W1[4, 0, 2, 1]", "tap 4,0"]),
]


@pytest.mark.parametrize(("rule", "synapse", "words"), SYNAPSES, ids=[f"{r}-{s}" for r, s, _ in SYNAPSES])
def test_one_synapse(call, rule, synapse, words):
    network = ["--network", "4 5x5 inhibited pool"] if rule == "hebb" else SMALL
    done = call("explain", "--rule", rule, "--synapse", synapse, *network)
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in words), done.stdout
    found = re.search(r"= ([-+.e\d]+); the sum of the \d+ products by hand ([-+.e\d]+)", done.stdout)
    if found:
        assert abs(float(found[1]) - float(found[2])) <= 1e-4 * max(abs(float(found[1])), 1e-6)
    places = re.findall(r"^(?:source|wired by) +(\S+):(\d+): (.*)$", done.stdout, re.M)
    for file, line, text in places:  # the line stands where it is said to stand
        path = Path(neurosim.__file__).resolve().parents[1] / file
        assert path.read_text(encoding="utf-8").splitlines()[int(line) - 1].strip() == text


@pytest.mark.parametrize(
    ("synapse", "words"),
    [
        ("conv9:1,1", "no such array"),
        ("conv1:9,1", "lies outside W1"),
        ("foo", "'foo'"),
        ("head4:1,1@1,1", "no convolution"),
        ("conv1:0,0@3,0", "conv3:17,4"),
        ("conv1:0,0@3,0", "outside the fields of W1; expected two numbers after the @, each below 3"),
    ],
)
def test_a_synapse_that_is_not_there(call, synapse, words):
    done = call("explain", "--rule", "urf", "--synapse", synapse, *SMALL)
    assert done.returncode == 2 and words in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_certificate_is_computed_once_more(call, lab):
    options = ["--network", "4 hardtanh, 5 pool"]
    done = call("audit", "--rule", "mylab.rules:MyRule", *options, "--json", "c.json", where=lab)
    assert done.returncode == 0, done.stderr
    done = call("audit", "--verify", "c.json", where=lab)
    assert done.returncode == 2 and "nothing was run" in done.stderr and len(done.stderr.splitlines()) == 1
    for again in (["--trust", "mylab.rules:MyRule"], ["--rule", "mylab.rules:MyRule"]):
        done = call("audit", "--verify", "c.json", *again, where=lab)
        assert done.returncode == 0 and "c.json computed once more: the same answer" in done.stdout, done.stderr
    record = json.loads((lab / "c.json").read_text(encoding="utf-8"))
    (lab / "c.json").write_text(json.dumps(record | {"grade": "not local"}), encoding="utf-8")
    done = call("audit", "--verify", "c.json", "--trust", "mylab.rules:MyRule", "--json", "d.json", where=lab)
    assert done.returncode == 1 and "grade: not local is written, strictly local comes out" in done.stdout
    assert json.loads((lab / "d.json").read_text(encoding="utf-8"))["grade"] == "strictly local"
    done = call("audit", "--verify", "c.json", "--trust", "mylab.rules:MyRule", "--seed", "3", where=lab)
    assert done.returncode == 2 and "--seed beside --verify" in done.stderr
    assert call("audit", "--verify", "missing.json", where=lab).returncode == 2


def test_a_run_of_somebody_else_s_rule_runs_nothing_unless_it_is_named_again(call, lab):
    train = ["train", "--data", "some.npz", "--network", "4 hardtanh, 5 pool", "--batch", "8", "--epochs", "1"]
    assert call(*train, "--rule", "mylab.rules:MyRule", "--out", "other", where=lab).returncode == 0
    done = call("audit", "other", where=lab)
    assert done.returncode == 2 and "names mylab.rules:MyRule" in done.stderr and "nothing was run" in done.stderr
    for again in (["--trust", "mylab.rules:MyRule"], ["--rule", "mylab.rules:MyRule"]):
        done = call("audit", "other", *again, where=lab)
        assert done.returncode == 0 and "5 of 5 batches trained once more" in done.stdout, done.stdout + done.stderr
