"""Images of one run that are worked on side by side, where one alone cannot keep all workers busy."""

from cellscale.engines.flow.loading import Loading
from cellscale.engines.flow.needs import Need, needs_of
from cellscale.engines.flow.slots import Rest
from cellscale.engines.flow.told_in_order import ToldInOrder
from cellscale.engines.flow.work_through import work_through

__all__ = ["Loading", "Need", "Rest", "ToldInOrder", "needs_of", "work_through"]
