"""Steps whose ledgers the audit's tests ask for."""

from neurosim.audit.graph.kinds import callable_of, reference_of
from neurosim.audit.operations.judgement import place_of
from neurosim.kernels.devices import backend
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.plasticity import make as make_plasticity
from neurosim.rules import make

FORMS = {"cpu": lambda step: callable_of(step, backend("cpu")), "reference": reference_of}


def steps(rule="urf", loss="hinge", plasticity="signum", pairs=4, text="3 hardtanh, 4 pool", block=True, **options):
    """The steps of a rule in a small network; ``options`` of the loss."""
    network = Network(text, (4, 4, 2), pairs, head_units=5, plasticity=make_plasticity(plasticity), block=block)
    return list(make(rule, network, make_loss(loss, **options)).plan("all layers"))


def compare(loss="positive", **options):
    """The step at the error units."""
    return next(s for s in steps("rf", loss, **options) if place_of(s) == "error units")


def kinds(operations):
    """The categories of some operations."""
    return {operation.kind for operation in operations}
