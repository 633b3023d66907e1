"""Many machines that Dask has gathered: images and shares of images are tasks."""
