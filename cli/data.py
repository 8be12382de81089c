"""``neurosim data``: which data sets there are, how to get them, and what they look like."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from neurosim.cli.declared import OWN
from neurosim.cli.help import Command, Group
from neurosim.cli.options import known_options, named_options
from PIL import Image

from neurosim.data import fetch as fetching
from neurosim.data.pictures.survey import WATCH, nothing
from neurosim.data.sources import loading
from neurosim.data.views.affine import Affine
from neurosim.errors import DataError
from neurosim.training.sections import KEYWORDS
from neurosim.training.sizes import fitting

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from neurosim.core.typing import Array
    from neurosim.data.dataset import Dataset

PER_CLASS = 12  # images in a row of a contact sheet
LARGEST = 64  # pixels a side on a contact sheet; larger images are thinned
_STREAM = 0xDA7A

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of cifar10, cifar100 and stl10.  [default: $NEUROSIM_DATA or ~/.cache/neurosim]",
)


@click.group(cls=Group, epilog="Example: neurosim data list")
def data() -> None:
    """Data sets: list, fetch, check, show."""


class Sourced(Command):  # type: ignore[misc]  # whose file mypy finds in another place
    """A command with the options of the data sets' own beside its own."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own, those of every data set, and those of one from elsewhere that was named."""
        own = super().get_params(ctx)
        taken = {parameter.name for parameter in own}
        others = [each for each in (*known_options(), *ctx.meta.get(OWN, ())) if each.section == "data"]
        return [*own, *(each for each in others if each.name not in taken | set(KEYWORDS))]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find a data set from elsewhere first: it has options of its own."""
        named = next((word for word in args if ":" in word and not word.startswith("-")), "")
        ctx.meta[OWN] = named_options(["--data", named]) if named else []
        found: list[str] = super().parse_args(ctx, args)
        return found


class Watched:
    """While it lasts, long readings of pictures show how far they are, on a terminal."""

    def __enter__(self) -> None:
        self.token = WATCH.set(self._show if sys.stderr.isatty() else nothing)

    def __exit__(self, *_: object) -> None:
        WATCH.reset(self.token)

    def _show(self, what: str, done: int, count: int) -> None:
        click.echo(f"\r{what}: {done} of {count}   " + ("\n" if done == count else ""), err=True, nl=False)


@data.command("list", epilog="Example: neurosim data list")
@data_dir_option
def list_sources(data_dir: Path | None) -> None:
    """List the data sets, and where they were found."""
    rows = [("name", "images (train + test)", "size", "where", "what")]
    where = loading.default_dir() if data_dir is None else data_dir
    rows += [
        (name, source.images, source.size(), loading.find(source).place(where), source.summary)
        for name, source in loading.available().items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@data.command("fetch", epilog="Example: neurosim data fetch cifar10")
@click.argument("name", type=click.Choice(list(fetching.fetchable())))
@data_dir_option
@click.option("--url", help="A mirror of the same archive: https:// or file:///PATH.")
def fetch_archive(name: str, data_dir: Path | None, url: str | None) -> None:
    """Download NAME, check it and unpack it; a broken download is resumed."""
    data_dir = loading.default_dir() if data_dir is None else data_dir
    meter = Meter(name)
    try:
        folder = fetching.fetch(name, data_dir, url, meter)
    finally:
        meter.close()
    click.echo(f"{name} is in {folder}")


class Meter:
    """A progress bar that starts with the first bytes, and shows how fast they come."""

    def __init__(self, label: str):
        self.label, self.began, self.first = label, 0.0, 0
        self.bar: ProgressBar[str | None] | None = None

    def __call__(self, done: int, total: int | None) -> None:
        """Show that ``done`` bytes of ``total`` are there; nothing where the total is not known."""
        if total is None:
            return
        if self.bar is None:
            self.began, self.first = time.monotonic(), done
            self.bar = click.progressbar(length=total, label=self.label, item_show_func=lambda speed: speed)
            self.bar.__enter__()
        seconds = time.monotonic() - self.began
        speed = (done - self.first) / seconds / 1e6 if seconds > 0 else 0.0
        self.bar.update(done - self.bar.pos, f"{speed:.1f} MB/s")

    def close(self) -> None:
        """End the bar's line, if there is one."""
        if self.bar is not None:
            self.bar.__exit__(None, None, None)


@data.command("show", cls=Sourced, epilog="Example: neurosim data show toys toys.png")
@click.argument("name")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@data_dir_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the toys and the views.")
@click.option(
    "--views",
    type=click.Choice(["deform", "motion"]),
    help="Two views of each image side by side: deformed, or (toys) in motion.  [default: the images as they are]",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def show(name: str, out: Path, data_dir: Path | None, seed: int, views: str | None, force: bool, **own: Any) -> None:
    """Draw a sheet of training images of NAME into OUT (.png), a row a class."""
    from neurosim.data.sheet import contact_sheet  # drawing is not needed for the other commands

    _check_out(out, force)
    given = {word: value for word, value in own.items() if value is not None}
    images, labels, classes = _chosen(loading.load(name, data_dir, seed, 2 if views == "motion" else 1, **given))
    if views == "deform":
        images = _deformed(images, seed)
    _save(contact_sheet(_small(images), labels, classes, PER_CLASS), out)
    click.echo(f"{out}: {len(images)} training images of {name}")


@data.command("check", cls=Sourced, epilog="Example: neurosim data check folder:photos --size 32")
@click.argument("name")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), required=False)
@data_dir_option
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def check(name: str, out: Path | None, data_dir: Path | None, force: bool, **own: Any) -> None:
    """Say what would be read of NAME, what is left out and why. Some are drawn into OUT (.png).

    Without OUT they are drawn into check-NAME.png in this folder, which replaces an earlier one.
    """
    from neurosim.data.sheet import contact_sheet

    if out is not None:
        _check_out(out, force)
    source = loading.find(name, **{word: value for word, value in own.items() if value is not None})
    with Watched():
        rows, found = source.check(loading.default_dir() if data_dir is None else data_dir)
    width = max(len(word) for word, _ in rows)
    click.echo(name)
    for word, text in rows:
        click.echo(f"  {word.ljust(width)}  {text}")
    images, labels, classes = _chosen(found)
    out = Path(f"check-{_word(name)}.png") if out is None else out
    _save(contact_sheet(_small(images), labels, classes, PER_CLASS), out)
    click.echo(f"  {'fits'.ljust(width)}  {_networks(found)}")
    click.echo(f"  {'sheet'.ljust(width)}  {out}")


def _word(name: str) -> str:
    """A data set's name as a part of a file's."""
    return "".join(c if c.isalnum() else "-" for c in Path(name.partition(":")[2] or name).name) or "data"


def _networks(found: Dataset) -> str:
    """Which presets take pictures of this size."""
    fit = fitting(*found.image_shape[:2])
    return f"the networks {', '.join(fit)}" if fit else "no preset; any network without pools, or another --size"


def _small(images: Array) -> Array:
    """Thinned, where they are too large for a sheet."""
    step = max(1, -(-max(images.shape[-3:-1]) // LARGEST))
    return images[..., ::step, ::step, :]


def _check_out(out: Path, force: bool) -> None:
    if out.suffix.lower() != ".png":
        raise DataError(f"{out} is no .png file", "a name that ends in .png", "choose another name")
    if out.exists() and not force:
        raise DataError(f"{out} is there already", "a new file", "choose another name, or add --force")
    if not out.parent.is_dir():
        raise DataError(f"no folder {out.parent}", "a folder to write to", "make it first")


def _chosen(data: Dataset) -> tuple[Array, Array | None, tuple[str, ...]]:
    """The images of the sheet, their labels and the rows' names; up to five rows without names where there are none."""
    if data.train_labels is None:
        images = data.train_images[: 5 * PER_CLASS]
        return images, None, ("",) * -(-len(images) // PER_CLASS)
    kinds = range(len(data.classes))
    index = np.concatenate([np.flatnonzero(data.train_labels == kind)[:PER_CLASS] for kind in kinds])
    return data.train_images[index], data.train_labels[index], data.classes


def _deformed(images: Array, seed: int) -> Array:
    """Two deformed views of each image, ``(sample, frame, row, column, channel)``."""
    rng, affine = np.random.default_rng([seed, _STREAM]), Affine()
    views: list[Array] = []
    for _ in range(2):
        view = np.empty(images.shape, np.float32)
        affine.kernel.form("cpu")(images, **affine.draw(rng, len(images)), out=view, **affine.scalars)
        views.append(np.rint(view * 255).clip(0, 255).astype(np.uint8))
    return np.stack(views, axis=1)


def _save(sheet: Image.Image, out: Path) -> None:
    try:
        sheet.save(out)
    except OSError as error:
        actual = f"{out} cannot be written ({error.strerror or error})"
        raise DataError(actual, "a file that can be written", "choose another name") from None
