"""A network that images which are worked on side by side load once."""

from threading import Event, Lock
from typing import TYPE_CHECKING

from cellscale.pipeline.model import Model

if TYPE_CHECKING:
    from cellscale.predict.instanseg import SeedNetwork
    from cellscale.predict.network import Network

__all__ = ["Loading"]


class Loading:
    """Loads a network when the first image needs it.

    Parameters
    ----------
    model
        The network.
    """

    def __init__(self, model: Model) -> None:
        self.is_over = Event()
        """Set once the network is there, or nobody need wait for it."""
        self._model = model
        self._lock = Lock()

    def __call__(self) -> "Network | SeedNetwork":
        """Return the network."""
        with self._lock:
            network = self._model.load()
        self.is_over.set()
        return network
