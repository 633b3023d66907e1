"""What takes an hour and is not part of the suite: `make test-hostile`; docs/reliability.md has its last figures."""
