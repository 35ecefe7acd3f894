"""Where a study is computed: what there is, what is wanted, and what is said without it."""

import os

import pytest
import torch

from lib.networks import devices
from lib.networks.devices import Device, DeviceError, choose_device
from lib.settings.options import Training


@pytest.fixture
def machine(monkeypatch):
    """A machine with the GPUs that are named, and no bf16."""

    def with_gpus(*names):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in names)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in names)
        monkeypatch.setattr(devices, "_exact_gpu", lambda: None)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
        for kind in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
            monkeypatch.setattr(torch.cpu, kind, lambda: False)

    return with_gpus


@pytest.mark.parametrize(
    ("gpus", "wanted", "name"),
    [
        ((), "auto", "cpu"),
        (("mps",), "auto", "mps"),
        (("cuda",), "auto", "cuda"),
        (("cuda", "mps"), "auto", "cuda"),
        (("mps",), "cpu", "cpu"),
        (("cuda", "mps"), "mps", "mps"),
    ],
)
def test_auto_takes_a_gpu_where_there_is_one(machine, gpus, wanted, name):
    machine(*gpus)
    assert choose_device(Training(device=wanted)) == Device(name, torch.float32)


@pytest.mark.parametrize(("gpus", "wanted"), [((), "cuda"), (("cuda",), "mps")])
def test_a_gpu_that_is_not_there_is_refused_with_what_is(machine, gpus, wanted):
    machine(*gpus)
    allowed = ", ".join(["auto", "cpu", *gpus])
    with pytest.raises(DeviceError, match=f"{wanted!r} given.*allowed here: {allowed}$"):
        choose_device(Training(device=wanted))


def test_apples_gpu_stays_with_fp32_unless_told_and_says_what_is_not_measured(machine):
    machine("mps")
    assert choose_device(Training()).precision == "fp32"
    assert choose_device(Training(precision="bf16")).precision == "bf16"
    assert "have not been measured" in choose_device(Training()).describe()
    assert os.environ["PYTORCH_ENABLE_MPS_FALLBACK"] == "1"  # what it lacks runs on the processor


def test_autocast_computes_in_the_devices_precision():
    x = torch.ones(2, 2)
    for dtype in (torch.float32, torch.bfloat16):
        with Device("cpu", dtype).autocast():
            assert (x @ x).dtype == dtype
