"""PyTorch modules audited from outside: plain back-propagation is caught, feedback alignment passes."""

import itertools
import json
import sys
import textwrap

import pytest

from neurosim.audit.torch.audit import audit_build, audit_model
from neurosim.errors import WiringError

torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
nn, functional = torch.nn, torch.nn.functional


class Aligned(torch.autograd.Function):
    """A dense layer whose error goes down through an array of its own, made from the weight by ``how``."""

    @staticmethod
    def forward(ctx, x, weight, feedback, how):
        ctx.save_for_backward(x, weight, feedback)
        ctx.how = how
        ctx.stored = weight.detach().clone() if how == "copy" else None
        return x @ weight.t()

    @staticmethod
    def backward(ctx, delta):
        x, weight, feedback = ctx.saved_tensors
        sent = {"own": feedback, "transport": weight, "sign": weight.sign() * 0.1, "copy": ctx.stored}[ctx.how]
        return delta @ sent, delta.t() @ x, delta.t() @ x if ctx.how == "own" else None, None


class Layer(nn.Module):
    def __init__(self, before, after, how="own", shown=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before) / before**0.5)
        feedback = torch.randn(after, before) / before**0.5
        if shown:
            self.feedback = nn.Parameter(feedback)
        else:
            self.register_buffer("feedback", feedback)
        self.how = how

    def forward(self, x):
        return Aligned.apply(x, self.weight, self.feedback, self.how)


def network(*layers):
    torch.manual_seed(1)
    return nn.Sequential(*[part for make in layers for part in (make(), nn.Tanh())])


def audit(model, inputs=None, loss=None):
    torch.manual_seed(2)
    inputs = torch.randn(6, 5) if inputs is None else inputs
    return audit_model("a model", model, inputs, loss or (lambda z: (z - z.roll(1, 0)).abs().sum()))


def aligned(how, shown=True):
    return network(lambda: Layer(5, 7, how, shown), lambda: Layer(7, 6, how, shown), lambda: Layer(6, 4, how, shown))


def test_plain_pytorch_is_violated():
    found = audit(network(lambda: nn.Linear(5, 7), lambda: nn.Linear(7, 6), lambda: nn.Linear(6, 4)))
    assert (found.outcome, found.exit_code) == ("violated", 1)
    assert found.after == {"2.weight": ["0.weight", "0.bias"], "4.weight": ["0.weight", "0.bias", "2.weight", "2.bias"]}
    assert "4.weight -> gradients of 0.weight, 0.bias, 2.weight, 2.bias (replaced after" in found.text()


@pytest.mark.parametrize("shown", [True, False])
def test_feedback_alignment_passes(shown):
    found = audit(aligned("own", shown))
    assert (found.outcome, found.exit_code) == ("no violation found", 0), found.text()
    assert (found.after, found.before) == ({}, {})
    assert found.forward == ["0.weight", "2.weight", "4.weight"]
    assert found.feedback == (["0.feedback", "2.feedback", "4.feedback"] if shown else ["2.feedback", "4.feedback"])


@pytest.mark.parametrize("how", ["transport", "sign"])
def test_feedback_made_of_the_weight_on_the_way_down_is_violated(how):
    found = audit(aligned(how, shown=False))
    assert found.outcome == "violated"
    assert found.after["4.weight"] == ["0.weight", "2.weight"]


def test_a_copy_that_the_forward_pass_keeps_is_not_called_plausible():
    found = audit(aligned("copy", shown=False))
    assert (found.outcome, found.exit_code) == ("violated", 1)
    assert found.before == {"2.weight": ["0.weight"], "4.weight": ["0.weight", "2.weight"]}
    assert "through a copy of the weight" in found.text()


def test_convolutions_and_gains_of_a_normalisation():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Conv2d(3, 4, 3), nn.Flatten()
    )
    before = {name: array.clone() for name, array in model.state_dict().items()}
    found = audit(model, torch.randn(4, 2, 8, 8), lambda z: (z - z.roll(1, 0)).abs().sum())
    assert list(found.after) == ["3.weight"]  # a gain is its unit's own, as a slope is: no synapse between two units
    assert all(torch.equal(before[name], array) for name, array in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_dropout_is_drawn_alike_in_every_run():
    torch.manual_seed(0)
    found = audit(nn.Sequential(nn.Linear(5, 7), nn.Dropout(0.5), nn.Linear(7, 4)))
    assert found.after == {"2.weight": ["0.weight", "0.bias"]}


def test_a_layer_that_is_cut_off_shows_nothing():
    class Local(nn.Module):
        """Two layers, the second cut off from the first by detach: each with a loss of its own."""

        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(5, 4, bias=False), nn.Linear(4, 4, bias=False)

        def forward(self, x):
            one = self.first(x)
            return one, self.second(torch.tanh(one.detach()))

    torch.manual_seed(0)
    found = audit(Local(), loss=lambda out: sum((z - z.roll(1, 0)).abs().sum() for z in out))
    assert found.outcome == "no violation found", found.text()


def test_one_layer_is_undecided():
    torch.manual_seed(0)
    found = audit(nn.Sequential(nn.Linear(5, 4, bias=False)))
    assert found.outcome == "undecided"
    assert "nothing to compare" in found.text()


def test_dead_gradients_are_reported_as_silent():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 4))
    model[0].bias.data.fill_(-100)
    found = audit(model)
    assert {"0.weight", "0.bias", "2.weight"} <= set(found.silent)
    assert found.outcome == "undecided"


def test_chance_that_ignores_the_seed_is_undecided():
    count = itertools.count()

    class Restless(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(5, 5), nn.Linear(5, 4)

        def forward(self, x):
            return self.two(torch.tanh(self.one(x) + next(count)))

    assert "two runs on one seed differ" in audit(Restless()).text()


def test_a_loss_that_is_no_number_is_reported():
    with pytest.raises(WiringError, match="the loss gives Tensor; expected a tensor of one number"):
        audit(nn.Linear(5, 4), loss=lambda z: z)


INFINITE = torch.tensor([0.0] * 3 + [torch.inf])
UNFIT = {
    "the loss": (lambda: aligned("own"), lambda z: z.sum() * torch.inf),
    "output 1": (lambda: nn.Sequential(aligned("own"), Added()), lambda z: z[:, :3].pow(2).sum()),
    "the change of 0.weight": (lambda: aligned("own"), lambda z: z.pow(2).sum() + (0 * z).abs().sqrt().sum()),
}


class Added(nn.Module):
    def forward(self, x):
        return x + INFINITE


@pytest.mark.parametrize("what", UNFIT)
def test_numbers_that_are_not_finite_decide_nothing_and_are_named(what):
    make, loss = UNFIT[what]
    found = audit(make(), loss=loss)
    assert (found.outcome, found.exit_code) == ("undecided", 3)
    assert found.undecided == f"numbers that are not finite say nothing: {what}; scale what the model is given"
    assert found.interventions == 0 and not found.forward


def test_what_fails_in_the_model_is_reported_with_its_line():
    with pytest.raises(WiringError, match=r"RuntimeError: .*line \d+\); expected a model that runs"):
        audit(nn.Linear(3, 4))


BUILDS = """
    import torch

    def build():
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(5, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))
        return model, torch.randn(8, 5), lambda z: z.pow(2).sum()

    def other():
        return 3

    def broken():
        return 1 / 0

    word = "build"
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    (tmp_path / "torch_lab_of_mine.py").write_text(textwrap.dedent(BUILDS), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", ".")])
    yield
    sys.modules.pop("torch_lab_of_mine", None)


def test_a_build_is_found_by_its_name(lab):
    found = audit_build("torch_lab_of_mine:build")
    assert found.json()["after"] == {"2.weight": ["0.weight", "0.bias"]}
    assert found.json()["verdict"] == "violated"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("torch_lab_of_mine:absent", "torch_lab_of_mine has no function absent"),
        ("torch_lab_of_mine:word", "torch_lab_of_mine has no function word"),
        ("torch_lab_of_mine:other", r"gives int; expected a tuple \(model, inputs, loss\)"),
        ("torch_lab_of_mine:broken", r"ZeroDivisionError: division by zero \(.*torch_lab_of_mine.py, line 1\d\)"),
        (
            "nowhere_of_mine:build",
            "torch=nowhere_of_mine:build names nowhere_of_mine, and there is no nowhere_of_mine",
        ),
        ("torch_lab_of_mine", "module:function with one colon"),
    ],
)
def test_what_cannot_be_built_is_reported_in_one_line(lab, name, line):
    with pytest.raises(WiringError, match=line) as error:
        audit_build(name)
    assert "\n" not in str(error.value)


def test_the_command_line_audits_and_keeps_it_as_data(lab, tmp_path, capsys):
    from neurosim.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(["audit", "--torch", "torch_lab_of_mine:build", "--json", "found.json"])
    assert ended.value.code == 1
    assert "2.weight -> gradients of 0.weight, 0.bias" in capsys.readouterr().out
    assert json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["verdict"] == "violated"


@pytest.mark.parametrize("beside", [["--rule", "ll"], ["--graph"], ["runs/a"], ["--svg", "a.svg"]])
def test_what_does_not_go_with_it_is_refused(lab, beside, capsys):
    from neurosim.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(["audit", "--torch", "torch_lab_of_mine:build", *beside])
    assert ended.value.code == 2
    assert "beside --torch; expected only --json" in capsys.readouterr().err
