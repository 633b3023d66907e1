"""Network weights: catalogue, fetching, verification, licence."""
