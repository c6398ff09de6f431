"""The little languages inside docker's option values: one file each, imported only when used."""
