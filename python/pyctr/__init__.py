"""pyctr: a container engine that installs with pip."""
