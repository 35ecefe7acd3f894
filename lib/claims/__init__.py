"""The ledger: what a run's tables say about the paper's claims.

``ledger`` judges; ``claim_people`` (C1), ``claim_ahead`` (C2) and ``claim_close`` (C3) measure,
``verdicts`` is the one rule from an interval to a verdict, ``sentences`` puts scores into words.
"""
