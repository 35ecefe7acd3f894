"""What convolutions learned before, and what that is worth.

``making`` pretrains the project's own (``python -m lib.pretraining objects``), ``folding`` takes
batch normalisation out of them, ``transfer`` and ``valence`` read valence from them.
"""
