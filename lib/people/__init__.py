"""People's answers: read from any long table, or simulated, as the trial table."""
