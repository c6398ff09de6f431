"""The commands, one file each: a table of options and what is done with them."""
