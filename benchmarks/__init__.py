"""Speed and memory, measured: each script prints what it found beside a reference from the same run."""
