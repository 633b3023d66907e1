"""Find every cell in multiplexed tissue images of any size, and measure it."""

__version__ = "0.1.0"
