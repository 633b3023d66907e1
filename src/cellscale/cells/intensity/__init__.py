"""Statistics of intensities in the compartments of each object."""
