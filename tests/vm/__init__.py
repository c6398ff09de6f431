"""The tests on a kernel that has only cgroup version 2: Debian's, in QEMU, with this machine's files.

``python -m tests.vm [command …]`` boots it, runs a command (by default the cgroup tests and the integration
tests marked ``v2``) and ends with its status.
"""
