"""What a run cost, stage by stage."""
