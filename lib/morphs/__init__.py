"""Test pictures: morphs from one pole to the other, with parts of the face hidden.

``sources`` says where morphs come from, ``folder`` reads a user's own, ``landmarks`` warps faces,
``hiding`` hides a part, ``stimuli`` makes table ``stimuli``.
"""
