"""How alike people and networks answer, and the ledger of claims."""

from lib.likeness.scorecard import human_likeness

__all__ = ["human_likeness"]
