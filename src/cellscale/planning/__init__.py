"""What a run will take, from what earlier ones took."""
