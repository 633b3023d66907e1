"""Settings for this folder."""

from hypothesis import settings

# The first example of a test may have to compile a kernel.
settings.register_profile("cells", deadline=None)
settings.load_profile("cells")
