"""Other people's engines on our runtime."""
