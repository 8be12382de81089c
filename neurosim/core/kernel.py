"""Kernels: each one declaration of what it is given, with its forms registered on it.

```python
outer_product = Kernel(
    "outer_product",
    kind=Kind.HEBBIAN,
    reads={"pre": "sample presynaptic", "post": "sample postsynaptic"},
    writes={"change": "presynaptic postsynaptic"},
    over="presynaptic",
    equation="change[k, d] = sum_n pre[n, k] post[n, d]",
    flops=lambda n: 2 * n["sample"] * n["presynaptic"] * n["postsynaptic"],
)

@outer_product.reference
def _(pre, post, change): ...
```

A kernel may be declared in the file of the part that uses it, with its forms below. A topic with many kernels is a folder:
its ``__init__.py`` declares, and ``reference.py``, ``cpu.py`` and ``gpu.py`` beside it hold the forms, imported when needed.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from neurosim.core.arguments import Argument, Sizes, match
from neurosim.errors import WiringError

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer

Form = Callable[..., Any]
FORMS = ("reference", "cpu", "compiled", "gpu")


class Kind(StrEnum):
    """What a kernel does."""

    SEE = "see"
    TRANSMIT = "transmit"
    RESPOND = "respond"
    COMPARE = "compare"
    DELIVER = "deliver"
    GATE = "gate"
    HEBBIAN = "hebbian"
    PLASTICITY = "plasticity"
    SEND = "send"
    STORE = "store"
    COUNT = "count"
    OTHER = "other"


class Kernel:
    """What a kernel is given, what it does with it, and its forms.

    An argument is declared by a short text (see `neurosim.core.arguments.Argument`): the sizes of its axes by name, for
    example ``"sample row column out | sample 4 row/2 column/2 out"``, ``"...: uint8"`` for any axes, ``"?..."`` for an
    argument that may be left out or, where it is a result, need not be read by anything, ``"*"`` for anything at all.

    Args:
        name: unique among the kernels of a plan.
        kind: what it does, for the audit and for explanations; None: it is judged by what it is seen to do.
        reads: argument -> its text; never changed.
        writes: argument -> its text; wholly overwritten, never read before.
        updates: argument -> its text; read and changed in place.
        sums: argument -> its text; what each row contributes is added, to zeros in the beginning.
        scalars: names of plain numbers, words and truth values.
        over: names of axes along which rows do not depend on one another, so that work may be cut there; ``...`` stands for
            every axis of arguments declared so.
        equation: what it computes, with the arguments' names.
        flops: from the sizes of the named axes to additions and multiplications of one run.

    Raises:
        WiringError: an argument declared twice, or a text that cannot be read.
    """

    def __init__(
        self,
        name: str,
        *,
        kind: Kind | None = None,
        reads: Mapping[str, str] | None = None,
        writes: Mapping[str, str] | None = None,
        updates: Mapping[str, str] | None = None,
        sums: Mapping[str, str] | None = None,
        scalars: tuple[str, ...] = (),
        over: str | tuple[str, ...] = (),
        equation: str = "",
        flops: Callable[[Sizes], int] | None = None,
    ):
        self.name, self.kind, self.equation = name, kind, equation
        self.over = (over,) if isinstance(over, str) else tuple(over)
        self.scalars = tuple(scalars)
        self._flops = flops
        texts = {"reads": reads or {}, "writes": writes or {}, "updates": updates or {}, "sums": sums or {}}
        names = [*self.scalars, *(argument for group in texts.values() for argument in group)]
        if len(set(names)) != len(names):
            raise WiringError(
                f"kernel {name} declares an argument twice", "one use an argument", "check its declaration"
            )
        self.arguments = {
            argument: Argument(argument, text, use) for use, group in texts.items() for argument, text in group.items()
        }
        self.origin: str = sys._getframe(1).f_globals.get("__name__", "")
        self._forms: dict[str, Form] = {}

    @property
    def builtin(self) -> bool:
        """Whether it is declared in this package."""
        return self.origin.split(".")[0] == "neurosim"

    def __repr__(self) -> str:
        return f"Kernel({self.name})"

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.origin, self.name)

    # -- forms

    def reference(self, form: Form) -> Form:
        """Register the specification: naive loops on NumPy arrays."""
        return self._register("reference", form)

    def cpu(self, form: Form) -> Form:
        """Register the form for NumPy arrays."""
        return self._register("cpu", form)

    def compiled(self, form: Form) -> Form:
        """Register loops for NumPy arrays that give the CPU form's bits; its first argument compiles a loop.

        See `neurosim.kernels.compiled`.
        """
        return self._register("compiled", form)

    def gpu(self, form: Form) -> Form:
        """Register the form for a GPU; its first argument is the `neurosim.kernels.gpu.Gpu` that launches."""
        return self._register("gpu", form)

    def _register(self, where: str, form: Form) -> Form:
        given = list(inspect.signature(form).parameters.values())[where in ("gpu", "compiled") :]
        wanted = {*self.arguments, *self.scalars}
        some = any(each.kind is each.VAR_KEYWORD for each in given)
        names = {each.name for each in given if each.kind is not each.VAR_KEYWORD}
        if not (names <= wanted if some else names == wanted):
            raise WiringError(
                f"the {where} form of kernel {self.name} takes ({', '.join(each.name for each in given)})",
                f"the arguments that the kernel declares: {', '.join(sorted(wanted))}",
                "give the form the same arguments",
            )
        self._forms[where] = form
        return form

    def has(self, where: str) -> bool:
        """Whether there is a form for one of `FORMS`."""
        if where not in self._forms and self.origin in sys.modules and hasattr(sys.modules[self.origin], "__path__"):
            place = f"{self.origin}.{where}"
            if importlib.util.find_spec(place) is not None:
                importlib.import_module(place)
        return where in self._forms

    def form(self, where: str) -> Form:
        """The function for one of `FORMS`.

        Raises:
            WiringError: there is none.
        """
        if not self.has(where):
            there = [name for name in FORMS if self.has(name)]
            raise WiringError(
                f"kernel {self.name} has no form for {where}",
                f"one of its forms ({', '.join(there) or 'none yet'})",
                "choose another device" if there else f"register one: @{self.name}.{where}",
            )
        return self._forms[where]

    # -- what a step is checked against

    def fit(self, label: str, given: Mapping[str, Buffer], scalars: Mapping[str, object], over: str | None) -> Sizes:
        """Check what a step gives against the declaration.

        Args:
            label: of the step, for the message.
            given: argument -> buffer.
            scalars: name -> value.
            over: the buffers' axis that work is cut along; None: not at all.

        Returns:
            the sizes of the named axes.

        Raises:
            WiringError: an argument too many or missing, or work that cannot be cut there.
            ShapeError: sizes or types that do not fit.
        """
        unknown = [*(set(given) - set(self.arguments)), *(set(scalars) - set(self.scalars))]
        missing = [n for n, a in self.arguments.items() if n not in given and not a.optional]
        missing += [n for n in self.scalars if n not in scalars]
        if unknown or missing:
            what = f"gives {sorted(unknown)[0]}" if unknown else f"does not give {missing[0]}"
            raise WiringError(
                f"step {label!r} {what} to kernel {self.name}",
                f"its arguments: {', '.join([*self.arguments, *self.scalars])}",
                "check the step against the kernel's declaration",
            )
        there = [(self.arguments[name], buffer) for name, buffer in given.items()]
        sizes, layouts = match(f"step {label!r}, kernel {self.name}", there)
        if over is not None:
            self._check_cut(label, given, layouts, over)
        return sizes

    def _check_cut(
        self, label: str, given: Mapping[str, Buffer], layouts: Mapping[str, tuple[str, ...]], over: str
    ) -> None:
        """Whether every buffer that has the axis is declared along one and the same axis that may be cut."""
        axes: set[str] = set()
        for name, buffer in given.items():
            layout = layouts[name]
            if over in buffer.axes and layout != ("*",):
                axes.add(_word(layout, buffer.axes.index(over), len(buffer.axes)))
        lost = [
            name for name, buffer in given.items() if over not in buffer.axes and axes & set(layouts[name]) - {"..."}
        ]  # it has rows of the axis under another name: it would not be cut
        if len(axes) > 1 or not axes <= set(self.over) or lost:
            found = f"{lost[0]} has that axis under another name" if lost else f"{', '.join(sorted(axes))}"
            raise WiringError(
                f"step {label!r} cuts kernel {self.name} along {over} ({found})",
                f"one of the axes along which it may be cut ({', '.join(self.over) or 'none'})",
                "name the axes of its buffers alike, or leave `over` out",
            )

    def flops(self, sizes: Sizes) -> int:
        """Additions and multiplications of one run on arrays of these sizes; 0 where they are not counted."""
        return int(self._flops(sizes)) if self._flops else 0


def _word(layout: tuple[str, ...], place: int, axes: int) -> str:
    """The word of a layout that stands for one of so many axes."""
    if "..." not in layout or place < layout.index("..."):
        return layout[place]
    after = len(layout) - layout.index("...") - 1
    return layout[place - axes] if axes - place <= after else "..."


def _again(origin: str, name: str) -> Kernel:
    """The kernel of a name in a file: what another process does with one that was sent to it."""
    for thing in vars(importlib.import_module(origin)).values():
        if isinstance(thing, Kernel) and thing.name == name:
            return thing
    raise WiringError(f"{origin} has no kernel {name}", "the same files in both processes", "install one version")
