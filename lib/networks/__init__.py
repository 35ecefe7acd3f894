"""Networks: devices, weights, backbones, attention, and one way to an answer."""

from lib.networks.answers import Answer, answer
from lib.networks.attention import Attention
from lib.networks.network import build_network

__all__ = ["Answer", "Attention", "answer", "build_network"]
