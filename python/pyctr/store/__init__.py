"""What is on disk: the database, the locks, the journal, recovery, and the storage drivers."""
