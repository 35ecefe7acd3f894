"""``python -m lib.workbook``: run the notebooks, open them in JupyterLab, publish a run.

``command`` runs them, ``arguments`` is its command line, ``lab`` opens JupyterLab, ``publish``
puts a finished run where it is committed.
"""
