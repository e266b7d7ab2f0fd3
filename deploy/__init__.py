"""What is needed before a fleet runs: the tables of its database."""
