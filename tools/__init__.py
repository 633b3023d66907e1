"""Programs of contributors."""
