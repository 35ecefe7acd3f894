"""Drawn faces and objects: identity, expression, hair, light, and the picture."""
