"""Settings from files: read with their places, laid over the options, and written down for the next time."""

from cellscale.cli.settings.option_keys import keep_given
from cellscale.cli.settings.settings_text import settings_text
from cellscale.cli.settings.settled_request import Settled, settled_request

__all__ = ["Settled", "keep_given", "settings_text", "settled_request"]
