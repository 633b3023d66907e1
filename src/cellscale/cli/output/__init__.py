"""What commands tell people and machines: progress, logs, summaries."""
