"""Training: features of frozen convolutions, heads, checkpoints, pretraining."""
