"""How results are shown: tables, templates, JSON, and numbers for people."""
