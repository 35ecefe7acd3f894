"""Where and in which precision to compute: a study's ``device`` and ``precision`` made concrete."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from lib.settings.options import Training


class DeviceError(ValueError):
    """The study asks for what this machine does not have."""


@dataclass(frozen=True)
class Device:
    """``name`` is cpu or cuda; ``dtype`` is what matrix products and convolutions are computed
    in.
    """

    name: str = "cpu"
    dtype: torch.dtype = torch.float32

    @property
    def precision(self) -> str:
        return "bf16" if self.dtype == torch.bfloat16 else "fp32"

    def autocast(self) -> AbstractContextManager:
        """Inside, products and convolutions are computed in ``dtype``; fp32 stays as it is."""
        return torch.autocast(self.name, torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    @property
    def key(self) -> dict[str, str]:
        """What results depend on."""
        return {"device": self.name, "precision": self.precision}

    def describe(self) -> str:
        """One line for a notebook."""
        what = (
            torch.cuda.get_device_name()
            if self.name == "cuda"
            else f"{torch.get_num_threads()} processor threads"
        )
        return f"{self.name} ({what}), {self.precision}"


PROCESSOR = Device()


def choose_device(training: Training) -> Device:
    """``auto`` takes a GPU where there is one, and bf16 where the hardware computes in it.

    Raises
    ------
    DeviceError : cuda wanted, but there is none.
    """
    if training.device == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            "training.device 'cuda' given, but torch finds no CUDA GPU; allowed here: auto, cpu"
        )
    name = "cuda" if training.device != "cpu" and torch.cuda.is_available() else "cpu"
    if name == "cuda":
        _exact_gpu()
    wanted = training.precision == "bf16" or (training.precision == "auto" and has_bf16(name))
    return Device(name, torch.bfloat16 if wanted else torch.float32)


def _exact_gpu() -> None:
    """What a GPU gives up for speed by default: fp32 that is fp32, sums of bf16 products in fp32,
    the same numbers every time. torch only warns of an operation that it cannot repeat exactly; its
    fast attention is one."""
    for fast in ("cudnn", "flash", "mem_efficient"):
        getattr(torch.backends.cuda, f"enable_{fast}_sdp")(False)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.use_deterministic_algorithms(True, warn_only=True)


def has_bf16(name: str) -> bool:
    """Whether bf16 is computed by the hardware; emulated, it would be slower than fp32."""
    if name == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
