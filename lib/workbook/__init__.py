"""Running the notebooks without a screen, their report, and sweeps."""
