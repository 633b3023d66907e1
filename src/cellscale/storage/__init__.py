"""URIs, atomic writes and locks."""
