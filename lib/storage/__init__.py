"""Files on disk and the folder of a run.

``files`` writes whole files or none, ``locks`` lets one run at a time into a folder, ``tables``
reads other people's tables, ``runs`` is a run with its tables and figures, ``progress`` says how
long a step still takes.
"""
