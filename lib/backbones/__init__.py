"""Backbones: frozen features by name, from files of weights, torchvision, timm or a user's file."""
