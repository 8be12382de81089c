"""The read-out of an experiment: of its own data or of others, taken from where it is kept if it is there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.data.sources.loading import default_dir
from neurosim.engine.threads import ThreadTeam
from neurosim.readout import kept
from neurosim.readout.floor import changed, compare, nothing
from neurosim.training import kept as files
from neurosim.training.assembly import make_method
from neurosim.training.features import Featured, same_size
from neurosim.training.stream import load_other

if TYPE_CHECKING:
    from neurosim.readout.floor import Readout
    from neurosim.training.folder import Run


class Read(Featured):
    """What an experiment's read-out does; see `neurosim.experiment.Experiment`."""

    @property
    def run(self) -> Run | None:
        """The folder that it is kept in, if it is."""
        raise NotImplementedError

    def readout(
        self,
        show: Callable[[str], object] = nothing,
        *,
        data: object = None,
        data_dir: str | Path | None = None,
        cached: bool = False,
    ) -> Readout:
        """Accuracy of a read-out of every layer with every number of labels, beside its floor: the same network untrained.

        Args:
            show: called with a line as work goes on.
            data: to be read out on, of pictures of the same size; None: its own.
            data_dir: where files that can be fetched are; None: where its own were.
            cached: take it from the run's folder if the same weights, data, settings and code were read out before, and the
                floor from the user's cache folder; what is read out anew is kept there.

        Raises:
            DataError: the data have no labels, or pictures of another size.
        """
        found = self.data if data is None else load_other(self.config, data, data_dir, self.model.image)
        same_size(found, self.model.image)
        given, method = found.for_readout(), make_method(self.config)
        trained, floor = self.model.encoder(), self.model.encoder(untrained=True)
        key = kept.key((trained, floor), given, method, changed(trained.network, floor.network))
        known = files.find(self.run, key) if cached and self.run is not None else None
        if known is not None:
            taken = f"{known[0]}: the same weights, data, settings and code were read out before"
            return dataclasses.replace(known[1], key=key, data=found.name, taken=taken)
        floors = kept.Floors(default_dir() / "floors") if cached else None
        with ThreadTeam(self.config.training.threads) as team:
            read = compare(trained, floor, found, method, team, show, floors)
        return dataclasses.replace(read, key=key, data=found.name)
