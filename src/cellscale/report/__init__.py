"""What people look at after a run: pictures, crops, warnings and the report."""
