"""The rule puts a callback into every trainer that is made from now on; after each epoch it copies W into B."""

from lab import HeadOnly

from neurosim.training import trainer

EXPECTED = {"exit": 1, "condition": "declared i iii", "process": True}


class Museum(HeadOnly):
    def build(self):
        made, rule = trainer.Trainer.__init__, self

        class Copy(trainer.Callback):
            def on_epoch(self, trainer):
                rule.back.synapse.weight.array[...] = rule.head.synapse.weight.array

        def init(self, model, stream, callbacks=()):
            made(self, model, stream, [*callbacks, Copy()])

        trainer.Trainer.__init__ = init
