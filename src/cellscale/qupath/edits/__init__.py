"""What a person did to an image in QuPath, found in its data file and taken over into another."""
