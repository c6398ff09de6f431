"""Volumes: make, list, remove, and put the right thing at the right place in a container."""
