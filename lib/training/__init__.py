"""Training heads on what frozen convolutions make of the pictures.

``features`` computes maps once, ``heads`` is the loop, ``checkpoints`` keeps what was learned,
``train`` is what notebooks call; ``elsewhere`` reads answers of networks that ran elsewhere.
"""
