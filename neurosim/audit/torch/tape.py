"""What a PyTorch model does, operation by operation: which values come from inputs, which from weights, which make the loss.

A tape listens below automatic differentiation. It writes down every operation with what its results are made of; and on a
second run it can *hold* activities: results made of inputs that the loss is made of are overwritten with what they were, so
that a weight which was replaced meanwhile shows in nothing but in what makes errors and changes. Results made of weights alone
(a transpose, signs, a copy) are never held.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Tensor = Any  # of PyTorch, which is not imported here
PRODUCTS = {"mm": 0, "bmm": 0, "mv": 0, "addmm": 1, "baddbmm": 1, "addmv": 1}  # name -> where its two factors begin
ADDED = ("aten.add", "aten.sub")  # operations that carry on what they are given, whatever is added


@dataclass
class Operation:
    """One operation.

    Args:
        name: of the function.
        sources: numbers of the operations that made its arguments.
        results: what it left, in copies; views of its arguments are left out.
        weights: names of the weights that its results are made of.
        alone: names of the weights in arguments that are made of weights alone.
        beside: names of the weights in arguments that are made of inputs, too.
        driven: some argument is made of an input.
        noise: it is made of random numbers, and of no input.
    """

    name: str
    sources: set[int]
    results: list[Tensor]
    weights: frozenset[str]
    alone: frozenset[str]
    beside: frozenset[str]
    driven: bool
    noise: bool
    ways: frozenset[tuple[str, str]] = frozenset()  # (weight, the way in which values made of inputs go through it)


@dataclass
class Made:
    """What lies in a memory: of which operation, of which weights, of inputs, of random numbers."""

    by: int = -1
    weights: frozenset[str] = frozenset()
    driven: bool = False
    noise: bool = False


@dataclass
class Tape:
    """All operations of one pass.

    Args:
        operations: in order.
        made: place of a memory -> what lies there.
        named: the weights, by name.
        refs: tensors, so that no memory is given twice.
        of_model: how many operations the model did, before the loss.
        mismatch: a second run did something else than the first.
    """

    operations: list[Operation] = field(default_factory=list)
    made: dict[int, Made] = field(default_factory=dict)
    named: dict[str, Tensor] = field(default_factory=dict)
    refs: list[Tensor] = field(default_factory=list)
    of_model: int = 0
    mismatch: bool = False

    def ancestors(self, ends: list[Tensor]) -> set[int]:
        """Numbers of the operations that tensors are made of."""
        found: set[int] = set()
        left = [self.made[place(t)].by for t in ends if place(t) in self.made]
        while left:
            number = left.pop()
            if number >= 0 and number not in found:
                found.add(number)
                left += self.operations[number].sources
        return found

    def held(self, ends: list[Tensor], weights: set[str]) -> set[int]:
        """Numbers of the operations whose results are activities: made of inputs, and part of the loss; or made of noise.

        An operation that makes the same numbers again as one of them is held, too; and one through which values go through a
        weight in the direction in which activity does.

        Args:
            ends: the loss.
            weights: that are replaced.
        """
        ancestors = self.ancestors(ends)
        own = {n for n, o in enumerate(self.operations) if (o.driven and n in ancestors) or o.noise}
        ways = {way for n in own for way in self.operations[n].ways if way[0] in weights}
        own |= {n for n, o in enumerate(self.operations) if o.ways & ways}
        values = {_key(t) for n in own for t in self.operations[n].results}
        again = {
            n
            for n, o in enumerate(self.operations)
            if o.driven and o.results and all(_key(t) in values for t in o.results)
        }
        return own | again

    def above(self, weight: str) -> set[str]:
        """The weights that carry on what a weight has carried: they stand between it and the loss."""
        found: set[str] = set()
        for operation in self.operations[: self.of_model]:
            added = operation.name.startswith(ADDED)
            if weight in operation.beside and not added and operation.alone != {weight}:
                found |= operation.alone
        return found

    def both_ways(self, weight: str) -> bool:
        """Whether values made of inputs go through a weight in both directions."""
        return len({way for o in self.operations for name, way in o.ways if name == weight}) > 1

    def uses(self, weight: str) -> int:
        """How often a weight meets a value made of inputs."""
        return sum(1 for o in self.operations if weight in o.alone and o.driven)


def place(tensor: Tensor) -> int:
    """Where a tensor's memory lies."""
    return int(tensor.untyped_storage().data_ptr())


def _key(tensor: Tensor) -> tuple[Any, ...]:
    dense = tensor.detach()
    return (tuple(dense.shape), hash(dense.contiguous().view(-1).numpy().tobytes()))


def listening(torch: Any, tape: Tape, first: Tape | None = None, held: set[int] | None = None) -> Any:
    """A context in which a tape writes down what is done.

    Args:
        torch: the module of that name.
        tape: that writes.
        first: of an earlier run, from which activities are taken.
        held: numbers of the operations whose results are overwritten.
    """

    def answer(self: Any, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        arguments, after = _flat(torch, (args, kwargs)), _flat(torch, results)
        if first is not None and held is not None and not tape.mismatch:
            _hold(tape, first, held, len(tape.operations), func, _own(after, arguments, func))
        _note(torch, tape, func, arguments, after)
        if tape.operations[-1].driven:
            tape.operations[-1].ways = _ways(tape, func, args)
        return results

    base = torch.utils._python_dispatch.TorchDispatchMode
    return type("Listening", (base,), {"__torch_dispatch__": answer})()


def _hold(tape: Tape, first: Tape, held: set[int], number: int, func: Any, own: list[Tensor]) -> None:
    if number >= len(first.operations) or first.operations[number].name != str(func):
        tape.mismatch = True
        return
    if number in held:
        for tensor, earlier in zip(own, first.operations[number].results, strict=False):
            if tensor.shape != earlier.shape:
                tape.mismatch = True
                return
            tensor.copy_(earlier)


def _own(results: list[Tensor], arguments: list[Tensor], func: Any) -> list[Tensor]:
    """Results that are no views of arguments, or that the function writes into."""
    given = {place(t) for t in arguments}
    writes = func._schema.is_mutable
    return [t for t in results if writes or place(t) not in given]


def _note(torch: Any, tape: Tape, func: Any, arguments: list[Tensor], results: list[Tensor]) -> None:
    found = [tape.made.get(place(t), Made()) for t in arguments]
    driven = any(m.driven for m in found)
    noise = not driven and (torch.Tag.nondeterministic_seeded in func.tags or any(m.noise for m in found))
    weights = frozenset[str]().union(*(m.weights for m in found))
    own = _own(results, arguments, func)
    operation = Operation(
        str(func),
        {m.by for m in found if m.by >= 0},
        [t.detach().clone() for t in own],
        weights,
        frozenset[str]().union(*(m.weights for m in found if not m.driven)),
        frozenset[str]().union(*(m.weights for m in found if m.driven)),
        driven,
        noise,
    )
    number = len(tape.operations)
    tape.operations.append(operation)
    written = [*results, *(arguments[:1] if func._schema.is_mutable else [])]
    for tensor in written:
        tape.made[place(tensor)] = Made(number, weights, driven, noise)
        tape.refs.append(tensor)


def _ways(tape: Tape, func: Any, args: tuple[Any, ...]) -> frozenset[tuple[str, str]]:
    """In which direction a product or a convolution goes through the weights among its arguments."""
    name = str(func).split(".")[1]
    if name == "convolution":
        pairs = [(args[1], f"transposed {args[6]}")]
    elif name in PRODUCTS:
        a, b = args[PRODUCTS[name] : PRODUCTS[name] + 2]
        summed = [(a, -1), (b, -2 if b.dim() > 1 else -1)]
        pairs = [(t, f"over {'columns' if t.stride(axis) == 1 else 'rows'}") for t, axis in summed if t.dim() > 1]
    else:
        return frozenset()
    places = {place(t): found for found, t in tape.named.items()}
    whole = [(t, way) for t, way in pairs if min(t.shape) > 1 and place(t) in places]
    return frozenset((places[place(t)], way) for t, way in whole if t.numel() == tape.named[places[place(t)]].numel())


def _flat(torch: Any, thing: Any) -> list[Tensor]:
    """Dense tensors in arguments or results."""
    if isinstance(thing, torch.Tensor):
        return [thing] if thing.layout is torch.strided and thing.device.type == "cpu" else []
    if isinstance(thing, tuple | list):
        return [t for each in thing for t in _flat(torch, each)]
    return _flat(torch, list(thing.values())) if isinstance(thing, dict) else []
