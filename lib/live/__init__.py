"""Figures that answer keys: the attention lab and the saliency explorer."""
