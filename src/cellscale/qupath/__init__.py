"""QuPath projects, data files and dialects, written without Java."""
