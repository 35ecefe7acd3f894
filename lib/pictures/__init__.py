"""Labelled pictures: read, found, checked and split.

``reading`` reads one of any usual kind, ``sources`` and ``manifests`` find a user's own, ``splits``
says which are for training, ``builtin`` draws faces, ``labelled`` makes table ``images``,
``confounds`` finds cues without a face.
"""
