"""What the library says of arguments, the command line says of options."""

import pytest
from neurosim.cli.main import main
from neurosim.cli.messages import as_typed

from neurosim.errors import WiringError

KNOWN = ("batch", "loss", "block", "layer_rates", "network", "lags")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (("batch=1", "a whole number", "write batch=100"), "--batch 1; expected a whole number; write --batch 100"),
        (
            ("unknown loss 'l'", "one of a, b", "write loss='a'"),
            "unknown loss 'l'; expected one of a, b; write --loss a",
        ),
        (
            ("block=True with loss='gaze'", "x", "leave block out"),
            "--block with --loss gaze; expected x; leave --block out",
        ),
        (("block=False", "x", "y"), "--no-block; expected x; y"),
        (("layer_rates=1,-0.5", "x", "change layer_rates"), "--layer-rates 1,-0.5; expected x; change --layer-rates"),
        (("network='4 pool, 4 wool'", "x", "y"), '--network "4 pool, 4 wool"; expected x; y'),
        (("a=b of somebody_else", "x", "leave this out"), "a=b of somebody_else; expected x; leave this out"),
        (
            ("loss l has no option z", "x", "choose another loss"),
            "loss l has no option z; expected x; choose another --loss",
        ),
    ],
)
def test_an_argument_becomes_the_option_that_was_typed(error, line):
    assert as_typed(WiringError(*error), KNOWN) == line


def test_the_argument_of_an_error_is_named_first():
    assert as_typed(WiringError("lags 1", "2", "write 2", argument="lags"), KNOWN) == "--lags 1; expected 2; write 2"


def test_it_is_done_for_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["explain", "--lags", "1"])
    assert stopped.value.code == 2 and capsys.readouterr().err.startswith("error: --lags 1; expected")
