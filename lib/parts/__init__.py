"""Which parts of a face people and networks use.

``controls`` hides patches off the parts, ``profiles`` measures what hiding a part does,
``profile_tables`` compares people and networks, ``bubbles`` shows parts alone.
"""
