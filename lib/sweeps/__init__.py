"""A grid of settings times seeds, on one machine or a cluster.

``grid`` lists the points, ``cells`` trains one, ``collect`` and ``summary`` make tables of them,
``command`` is ``python -m lib.workbook sweep``.
"""
