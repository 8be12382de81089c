"""The front door: a configuration, data, a model, a stream, a trainer and a read-out, put together in this one place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosim.audit.checks import check, preflight_audit
from neurosim.audit.target import AuditTarget, of_config, of_rule
from neurosim.diagnostics.observer import Diagnosis, Observer
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import RunError
from neurosim.readout.features import forward_weights
from neurosim.readout.floor import Readout
from neurosim.readout.similar import Similar, similar
from neurosim.report import page
from neurosim.training import kept
from neurosim.training.assembly import check_wiring
from neurosim.training.beside import holding, in_order, prepare
from neurosim.training.budget import within
from neurosim.training.config import Config
from neurosim.training.divergence import Divergence
from neurosim.training.folder import Run
from neurosim.training.given import anchored, apart, changed, names, same
from neurosim.training.model import Model
from neurosim.training.reading import Read
from neurosim.training.stream import ViewStream, load_data
from neurosim.training.trainer import Callback, Progress, Trainer
from neurosim.training.trust import foreign_of, require_trust

if TYPE_CHECKING:
    from neurosim.audit.verdict import Verdict
    from neurosim.data.dataset import Dataset


class Experiment(Read):
    """Everything that one configuration asks for, ready to train.

    Args:
        config: what is asked for; None: made of the keywords.
        callbacks: what happens beside the training loop, see `neurosim.training.trainer.Callback`.
        **keywords: the words of the command line with the same defaults: ``rule="ll"``, ``data="toys"``, ``epochs=2``,
            ``layer_rates=(1, 1, 0.5)``. ``data`` may also be a `Dataset` or arrays (``images``, ``(images, labels)``, a
            mapping); ``rule``, ``loss``, ``plasticity``, ``deformation`` a class, a factory or an object, ``network`` one.

    Raises:
        NeurosimError: whatever cannot be had, in one line that names the keyword.
    """

    def __init__(self, config: Config | None = None, *, callbacks: Iterable[Callback] = (), **keywords: Any):
        given, keywords = apart(keywords)
        if config is None:
            asked = Config.resolve(**keywords)
        else:
            asked = config.replace(**{k: v for k, v in keywords.items() if v is not None})
        check_wiring(asked, given)
        data = load_data(asked, given.get("data"))
        self._begin(Model(within(asked, data, given), data.image_shape, given), data, callbacks)
        self.trainer  # noqa: B018  data that do not go with the configuration are refused now

    def _begin(self, model: Model, data: Dataset | None, callbacks: Iterable[Callback]) -> None:
        self.model, self.config, self.callbacks, self._data = model, model.config, list(callbacks), data
        self._trainer: Trainer | None = None
        self._preflight: Verdict | None = None
        self._run: Run | None = None
        self._state: dict[str, Any] | None = None  # of the trainer, as a checkpoint has it

    def __repr__(self) -> str:
        return f"Experiment({self.config.rule.name} on {self.config.data.name}, {self.progress.done} batches done)"

    @property
    def data(self) -> Dataset:
        """The pictures; those of a saved run are read when they are first needed.

        Raises:
            RunError: they were given from Python, and no file holds them.
            DataError: they are not there any more.
        """
        if self._data is None:
            given = self.model.given.get("data")
            if given is None and self.config.data.name.startswith("<"):
                again = "the same again, which no file holds"
                raise RunError("the data were given from Python", again, "write load(path, data=...)")
            self._data = load_data(self.config, given)
        return self._data

    @property
    def trainer(self) -> Trainer:
        """The loop, at the place where training is."""
        if self._trainer is None:
            self._trainer = Trainer(self.model, ViewStream(self.model, self.data))
            prepare(self.model)
            if self._state is not None:
                self._trainer.place(self._state)
        return self._trainer

    @property
    def stream(self) -> ViewStream:
        """The views that the model learns from."""
        return self.trainer.stream

    @property
    def progress(self) -> Progress:
        """Where training is."""
        if self._trainer is None and self._state is not None:
            return Progress(**{name: self._state[name] for name in ("epoch", "batch", "done", "seconds")})
        return self.trainer.progress

    @property
    def run(self) -> Run | None:
        """The folder that it is kept in, if it is."""
        return self._run

    def expected(self) -> tuple[float, int]:
        """Seconds that training will take on the CPU, from its plans' arithmetic, and on how many threads."""
        with ThreadTeam(self.config.training.threads) as team:
            return self.trainer.batches * self.model.seconds(team), team.threads

    def preflight(self, known: Verdict | None = None) -> Verdict:
        """The quick audit before training: of the plans that will run, and of a narrow twin that is intervened on.

        Args:
            known: what it said of the same rule, error, plasticity and network already, to be believed.
        """
        self._preflight = known or self._preflight
        if self._preflight is None and self.model.wired:  # no twin can be made of it
            with self.model.undisturbed():
                self._preflight = check(self._wired(), light=True)
        elif self._preflight is None:
            self._preflight = preflight_audit(self.model)
        return self._preflight

    def audit(self) -> Verdict:
        """The whole audit: whether the rule transports weights, with evidence; of random weights and small pictures."""
        if not self.model.wired:
            return check(of_config(self.config, given=self.model.given))
        with self.model.undisturbed():  # a rule that is wired already is intervened on itself
            return check(self._wired())

    def _wired(self) -> AuditTarget:
        return of_rule(self.model.rule, self.model.stimulus.deformation is not None)

    def fit(
        self,
        out: str | Path | None = None,
        callbacks: Iterable[Callback] = (),
        *,
        checkpoint_every: float = 60.0,
        plausible: bool = False,
        on_divergence: str = "stop",
    ) -> Experiment:
        """Audit the rule, then train to the end of the last epoch, or go on to it.

        Args:
            out: a folder that does not exist yet; None: that of a run that was loaded, else nothing is kept.
            callbacks: beside those of the experiment. Without a `Bar` among them there is one on a terminal or in a notebook.
            checkpoint_every: seconds from one checkpoint to the next.
            plausible: refuse to train what the audit does not find plausible.
            on_divergence: ``stop`` training whose numbers are not finite or of no use, or ``warn`` and go on.

        Returns:
            The experiment itself.

        Raises:
            PlausibilityError: see ``plausible``.
            DivergenceError: see ``on_divergence``; the last good checkpoint stays.
            RunError: a folder that exists already or cannot be written.
            Interrupted: Ctrl-C or SIGTERM; where there is a folder, all is saved.
        """
        report = self.preflight()
        if plausible:
            report.require_plausible()
        self._run = self._run if out is None else self._create(Path(out))
        every, watch = self.config.training.diagnose_every, Divergence(on_divergence)
        diagnosis = [Diagnosis(Observer(self.model, self.data), every)] if every else []
        mine = [*self.callbacks, *callbacks]
        self.trainer.callbacks = in_order(mine, diagnosis, watch, self._run, checkpoint_every)
        with holding(self._run, self.model, report.json()), ThreadTeam(self.config.training.threads) as team:
            self.trainer.train(team)
        return self

    def similar(self) -> Similar:
        """Which pictures are near one another by their features, and into which groups they fall; no label is read."""
        with ThreadTeam(self.config.training.threads) as team:
            return similar(self.model.encoder(), self.model.encoder(untrained=True), self.data, team)

    def _create(self, folder: Path) -> Run:
        return Run.create(folder, self.config, self.model.rule.wiring(), self.model.image)

    def save(self, path: str | Path) -> None:
        """Keep it in a folder, from which `load` makes it again; what was kept there by this experiment is replaced.

        Raises:
            RunError: another folder that exists already, or cannot be written.
        """
        folder = Path(path)
        run = self._create(folder) if self._run is None or self._run.folder != folder else self._run
        state = self._state if self._trainer is None and self._state is not None else self.trainer.state()
        run.save_checkpoint(self.model.state(), {**state, "ready": self.model.is_ready})
        run.save_metrics(state["rows"], state["diagnoses"])
        if self._preflight is not None:
            run.save_audit(self._preflight.json())
        self._run = run

    @classmethod
    def load(
        cls, path: str | Path, *, callbacks: Iterable[Callback] = (), trust: Iterable[str] = (), **keywords: Any
    ) -> Experiment:
        """Make an experiment again from its folder, with the weights of its last checkpoint; `fit` goes on there.

        Args:
            path: the folder.
            callbacks: as for a new one; no folder holds them.
            trust: somebody else's code, ``module:Class``, that may run because the folder names it; what is given again counts.
            **keywords: what was given from Python (``rule=``, ``loss=``, ``network=``, ``data=``), once more; and
                `neurosim.training.given.CHANGEABLE`, changed: ``epochs``, ``threads``, ``readout``, ``labels``, ...

        Raises:
            RunError: no run there, one of another version, or something that is missing or does not belong; code of somebody
                else's that was not named again.
        """
        run = Run.open(Path(path))
        given, keywords = apart(keywords)
        named = [*trust, *(word for word in keywords.values() if isinstance(word, str)), *names(given).values()]
        require_trust(run.folder / "config.json", foreign_of(run.config), named)
        moved = {} if "data" in given else anchored(run.config, run.begun_in())
        config = changed(run.config, keywords).replace(**moved | same(run, given, keywords))
        image, data = run.image(), None
        if image is None:
            data = load_data(config, given.get("data"))
            image = data.image_shape
        self = cls.__new__(cls)
        self._begin(Model(config, image, given), data, callbacks)
        self._go_on(run)
        return self

    def _go_on(self, run: Run) -> None:
        run.check_wiring(self.model.rule.wiring())
        arrays, self._state = run.checkpoint()
        self.model.restore(arrays, self._state.get("ready", True))
        self._run = run

    def with_seed(self, seed: int, path: str | Path | None = None) -> Experiment:
        """The same with another seed, on the same pictures, which are read once; with a path as that folder keeps it.

        Raises:
            RunError: weights that were given from Python, or a folder that is not of this experiment.
        """
        if self.model.wired or "network" in self.model.given:
            raise RunError("another seed for a network that is made already", "its text", "write network='32 pool'")
        other = type(self).__new__(type(self))
        config = self.config.replace(seed=seed)
        other._begin(Model(config, self.model.image, self.model.given), self.data, self.callbacks)
        if path is not None:
            other._go_on(Run.open(Path(path)))
        return other

    @classmethod
    def resume(cls, path: str | Path, *, callbacks: Iterable[Callback] = (), **keywords: Any) -> Experiment:
        """`load` a run and `fit` it to the end of its last epoch; arguments and errors as there."""
        return cls.load(path, callbacks=callbacks, **keywords).fit()

    def results(self, readout: Readout | None) -> dict[str, Any]:
        """As results.json holds them: what was trained, how long that took, and the read-out."""
        found = readout.to_json() if readout else {"test_accuracy": None, "floor_accuracy": None, "per_layer": []}
        return {
            "rule": self.config.rule.name,
            "wiring": self.model.rule.wiring(),
            "seconds": self.progress.seconds,
            "images_per_second": self.progress.done * self.config.training.batch / max(self.progress.seconds, 1e-9),
            **found,
        }

    def write_results(
        self, readout: Readout | None, found: Similar | None = None, own: bool = True, trained: bool = True
    ) -> None:
        """Write what was found into the folder of the run: results.json, report.html, and a file a read-out in results/.

        Args:
            readout: what `readout` gave; None where the data have no labels.
            found: what `similar` gave, which is then drawn too.
            own: it is of the run's own weights and data; otherwise results.json stays as it is.
            trained: the weights are the run's own; otherwise report.html stays as it is, too.

        Raises:
            RunError: there is no folder, or it cannot be written.
        """
        if self._run is None:
            raise RunError("this experiment has no folder", "one that is kept", "call save(path), or fit(out=...)")
        if readout is not None and readout.key:
            kept.save(self._run, readout, self.results(readout))
        if own:
            self._run.save_results(self.results(readout) | (found.to_json() if found else {}))
        if own or (trained and self._run.results() is not None):
            page.write(self._run, forward_weights(self.model.network), (found, self.data) if found else None)


load = Experiment.load
