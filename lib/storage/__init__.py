"""Files on disk: written whole or not at all, locked, and the folder of a run."""
