"""The options of all commands, and what a run is asked for by them."""
