"""Java's object serialization, written without Java."""
