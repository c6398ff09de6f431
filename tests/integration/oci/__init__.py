"""The OCI command line of the static binary, on real bundles."""
