"""The verbs of images, one file each."""
