"""Where a dataset keeps what."""
