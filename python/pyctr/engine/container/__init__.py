"""What can be done with containers: one file per verb, each imported when it is first used."""
