"""What an image is: references, image configuration, archives to import, and the image ``host``."""
