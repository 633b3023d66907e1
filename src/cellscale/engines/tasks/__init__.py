"""The images of a dataset as tasks that any machine can run: what to do, and what became of it."""
