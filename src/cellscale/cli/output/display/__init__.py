"""How far a run is: two lines that move at a terminal, a line now and then elsewhere."""

from cellscale.cli.output.display.log_lines import log_lines
from cellscale.cli.output.display.screen import screen

__all__ = ["log_lines", "screen"]
