"""The settings of a study: what they are, their rules, and how a study file is read."""
