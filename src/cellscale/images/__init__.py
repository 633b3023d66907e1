"""Images and label masks, read and written by region."""
