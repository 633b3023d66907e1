"""A viewer of images, masks and measurements in the browser, served to this machine alone."""
