"""Settings from files: read with their places, laid over the options, and written down for the next time."""

from cellscale.cli.settings.option_keys import OptionKeys, keep_given
from cellscale.cli.settings.section import Section
from cellscale.cli.settings.settings_text import settings_text
from cellscale.cli.settings.settled_request import Settled, option_values, settled_request

__all__ = ["OptionKeys", "Section", "Settled", "keep_given", "option_values", "settings_text", "settled_request"]
