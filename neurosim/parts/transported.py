"""Weight transport: the one part that borrows a forward weight array for feedback. Only `bp` uses it."""

from neurosim.core.buffer import Buffer
from neurosim.parts.feedback import Feedback
from neurosim.parts.projection import Projection


class TransportedFeedback(Feedback):
    """``bp``: ``e_below = W^T delta`` with the forward projection's own W. Violates condition (iii), by definition."""

    kind = "bp"

    def __init__(self, projection: Projection):
        super().__init__(projection, projection.synapse)

    @property
    def sent(self) -> Buffer:
        return self.projection.synapse.weight
