"""The tests. One command runs all of them: ``tests/run``."""
