"""Sums of whole arrays are those of the naive loops, one synapse at a time; and updates those of the specification."""

import numpy as np
import pytest

from neurosim.audit.graph.graph import Graph
from neurosim.audit.interventions.bench import Bench
from neurosim.audit.interventions.plasticity import update_differs
from neurosim.audit.interventions.products import product_differs, terms
from neurosim.audit.interventions.sums import sums_of
from neurosim.audit.interventions.trial import found_by
from neurosim.audit.target import of_rule
from neurosim.core.kernel import Kind
from neurosim.engine.threads import ThreadTeam

SHAPES = {
    "dense": ((4, 3, 2), (4, 5), (6, 5)),
    "bias": ((1,), (3, 2, 2, 4), (1, 4)),
    "bias of a pooled layer": ((1,), (3, 4, 2, 2, 5), (1, 5)),
    "convolution": ((2, 4, 5, 3), (2, 4, 5, 2), (3, 3, 3, 2)),
    "convolution, pooled": ((2, 4, 6, 3), (2, 4, 2, 3, 2), (3, 3, 3, 2)),
    "upward": ((2, 3, 2, 3), (2, 6, 4, 2), (3, 3, 3, 2)),
    "untied": ((2, 3, 4, 2), (2, 3, 4, 3), (3, 4, 3, 3, 2, 3)),
    "untied, rows of windows": ((2, 4, 4, 2), (2, 4, 2, 2, 3), (2, 2, 4, 3, 3, 2, 3)),
    "predictions": ((2 * 9, 2, 3), (1, 2, 3, 2, 3), (1, 3, 3)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_whole_array_sums_what_the_naive_loops_do(name, rng):
    before, after, shape = SHAPES[name]
    pre, post = rng.normal(size=before), rng.normal(size=after)
    found = sums_of(pre, post, shape)
    assert found.shape == shape
    for synapse in np.ndindex(shape):
        place = (synapse[0] * shape[1] + synapse[1], *synapse[2:]) if len(shape) == 7 else synapse
        assert found[synapse] == pytest.approx(sum(a * b for _, a, b in terms(pre, post, place)), abs=1e-12)


@pytest.fixture
def bench(build):
    """Gives ``bench(rule, ...)``: recorded."""

    def bench(rule, **options):
        target = of_rule(build(rule, **options))
        with ThreadTeam(1) as team:
            return Bench(target, Graph(target.plans), team)

    return bench


@pytest.mark.parametrize("plasticity", ["sgd", "momentum", "signum", "adam"])
def test_every_number_of_every_update_and_change_is_looked_at(bench, plasticity):
    """One number that is another, in any array and any batch, is found."""
    recorded = bench("urf", plasticity=plasticity)
    again = {Kind.HEBBIAN: product_differs, Kind.PLASTICITY: update_differs}
    for run in recorded.runs:
        for argument in run.site.step.changed if run.site.kind in again else ():
            found = again[run.site.kind](recorded, run)
            assert (
                found.difference == ""
                and found.synapses
                == recorded.after[run]["weight" if "weight" in (recorded.after[run]) else argument].size
            )
            left = recorded.after[run][argument].reshape(-1)
            place = int(np.argmax(np.abs(left)))
            left[place] *= 1.001
            assert again[run.site.kind](recorded, run).difference
            left[place] /= 1.001


@pytest.mark.parametrize("plasticity", ["sgd", "momentum", "signum", "adam"])
def test_the_specification_at_once_is_the_specification_one_by_one(bench, plasticity):
    """What is computed for all synapses as one vector is what the naive loop gives for each."""
    recorded = bench("rf", plasticity=plasticity)
    run = next(r for r in recorded.runs if r.batch == 1 and r.site.kind is Kind.PLASTICITY)
    step = run.site.step
    naive, given = step.kernel.form("reference"), found_by(recorded, run)
    single = {k: v.astype(float) if v.dtype == np.float32 else v for k, v in given.items()}
    naive(**single, **step.scalars)
    for argument in step.updates:
        recorded.after[run][argument][...] = single[argument]
    assert update_differs(recorded, run).error < 1e-6
