"""Where and in which precision to compute: a study's ``device`` and ``precision`` made concrete."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from lib.settings.options import Training


class DeviceError(ValueError):
    """The study asks for what this machine does not have."""


@dataclass(frozen=True)
class Device:
    """``name`` is cpu, cuda or mps (Apple's GPU); products are computed in ``dtype``."""

    name: str = "cpu"
    dtype: torch.dtype = torch.float32

    @property
    def precision(self) -> str:
        """``bf16`` or ``fp32``."""
        return "bf16" if self.dtype == torch.bfloat16 else "fp32"

    def autocast(self) -> AbstractContextManager:
        """Inside, products and convolutions are computed in ``dtype``; fp32 stays as it is."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.name, torch.bfloat16)

    @property
    def key(self) -> dict[str, str]:
        """What results depend on."""
        return {"device": self.name, "precision": self.precision}

    def describe(self) -> str:
        """One line for a notebook."""
        what = {
            "cpu": lambda: f"{torch.get_num_threads()} processor threads",
            "cuda": torch.cuda.get_device_name,
            "mps": lambda: (
                "Apple's GPU; what it lacks runs on the processor; its last digits and "
                "whether it repeats itself exactly have not been measured"
            ),
        }[self.name]()
        return f"{self.name} ({what}), {self.precision}"


PROCESSOR = Device()


def choose_device(training: Training) -> Device:
    """``auto`` takes a GPU where there is one, and bf16 where the hardware computes in it.

    Raises
    ------
    DeviceError : a GPU wanted that is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(training.device, True):
        allowed = ", ".join(["auto", "cpu", *(name for name in there if there[name])])
        raise DeviceError(
            f"training.device {training.device!r} given, but torch finds no such GPU; allowed "
            f"here: {allowed}"
        )
    best = next((name for name in there if there[name]), "cpu")
    name = best if training.device == "auto" else training.device
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
    """Whether bf16 is computed by the hardware; emulated, it would be slower than fp32.

    Apple's GPUs stay with fp32: nobody has measured here what bf16 does there.
    """
    if name == "mps":
        return False
    if name == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
