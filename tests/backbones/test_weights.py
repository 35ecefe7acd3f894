"""Weights: the order in which they are found, the proof, what is refused, and the download
against a local server.
"""

import errno
import hashlib
import io
import pickle
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib.backbones import download as downloads
from lib.backbones import weight_files, weights
from lib.settings.options import ROOT

REAL = ROOT.parent / "shared/weights"


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine without any weights: empty data/weights, empty torchvision cache."""
    monkeypatch.setattr(weight_files, "FOLDER", tmp_path / "data_weights")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path


def state(seed=1, prefix="features.") -> dict[str, torch.Tensor]:
    """An AlexNet's convolutions, unlike the fixed initialisation: biases too."""
    tensors = weights.new_features("alexnet", seed).state_dict()
    return {prefix + name: value + 0.01 for name, value in tensors.items()}


def put(folder: Path, name: str, tensors: dict) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    save_file(tensors, path) if path.suffix == ".safetensors" else torch.save(tensors, path)
    return path


def test_the_order_is_weights_dir_then_the_project_then_torchvisions_cache(nowhere):
    name = "alexnet_features_imagenet1k_v1.safetensors"
    assert weights.find("alexnet", "imagenet") is None
    cached = put(nowhere / "hub/checkpoints", weight_files.torchvision_file("alexnet"), state())
    assert weights.find("alexnet", "imagenet") == cached
    own = put(weight_files.FOLDER, name, state())
    assert weights.find("alexnet", "imagenet") == own
    given = put(nowhere / "given", name, state())
    assert weights.find("alexnet", "imagenet", weights_dir=nowhere / "given") == given
    assert weights.find("alexnet", "objects", weights_dir=nowhere / "given") is None


def test_a_file_of_torchvision_and_one_of_convolutions_alone_give_the_same_network(nowhere):
    whole = state() | {"classifier.6.weight": torch.zeros(1000, 4096)}
    put(nowhere / "a", "alexnet-owt-7be5be79.pth", whole)
    put(nowhere / "b", "alexnet_features_imagenet1k_v1.safetensors", state())
    one, two = (weights.load("alexnet", "imagenet", weights_dir=nowhere / name) for name in "ab")
    assert weights.features_hash(one.features) == weights.features_hash(two.features)
    assert torch.equal(one.features[3].weight, state()["features.3.weight"])


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"state_dict": s}, lambda s: {"model": s, "epoch": 3}]
)
@pytest.mark.parametrize("prefix", ["features.", "module.features.", "features.module."])
def test_a_users_face_file_may_be_wrapped_and_prefixed(tmp_path, wrap, prefix):
    torch.save(wrap(state(prefix=prefix)), tmp_path / "face.pth")
    loaded = weights.load("alexnet", "face", face_weights=tmp_path / "face.pth")
    assert torch.equal(loaded.features[0].bias, state()["features.0.bias"])
    assert loaded.proof["loaded_keys"] == loaded.proof["differs_from_init"] == 10


def test_half_precision_files_become_fp32(tmp_path):
    half = {name: value.half() for name, value in state().items()}
    put(tmp_path, "alexnet_features_objects.safetensors", half)
    loaded = weights.load("alexnet", "objects", weights_dir=tmp_path)
    assert loaded.features[0].weight.dtype == torch.float32 and loaded.proof["loaded_keys"] == 10


def test_the_proof_fails_where_the_loading_was_skipped(tmp_path, monkeypatch):
    put(tmp_path, "alexnet_features_imagenet1k_v1.safetensors", state())
    monkeypatch.setattr(torch.nn.Sequential, "load_state_dict", lambda *passed, **named: None)
    with pytest.raises(
        weights.WeightsError, match="of 10 convolutional tensors in the network 0 equal"
    ):
        weights.load("alexnet", "imagenet", weights_dir=tmp_path)


def test_the_proof_names_file_and_hash(tmp_path):
    path = put(tmp_path, "alexnet_features_imagenet1k_v1.safetensors", state())
    proof = weights.load("alexnet", "imagenet", weights_dir=tmp_path).proof
    assert (
        proof["source"] == path.name
        and proof["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    )
    assert proof["missing"] == proof["unexpected"] == ""


def test_untrained_says_so_and_is_one_fixed_he_initialisation():
    one, two = (weights.load("alexnet", "untrained") for _ in range(2))
    assert (
        one.proof["loaded_keys"] == one.proof["differs_from_init"] == 0
        and "He" in one.proof["source"]
    )
    assert (
        weights.features_hash(one.features)
        == weights.features_hash(two.features)
        == one.proof["sha256"]
    )
    assert one.features[3].weight.std() == pytest.approx((2 / (64 * 25)) ** 0.5, rel=0.02)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real weights are not on this machine")
def test_the_real_alexnet_is_in_the_network():
    loaded = weights.load("alexnet", "imagenet", weights_dir=REAL)
    assert loaded.proof["sha256"].startswith("07986a89") and loaded.proof["loaded_keys"] == 10
    edges = loaded.features[0].weight  # trained filters are smooth, untrained ones are noise
    neighbours = torch.nn.functional.cosine_similarity(
        edges[..., 1:].flatten(1), edges[..., :-1].flatten(1)
    ).mean()
    assert neighbours > 0.3


class Malice:
    def __reduce__(self):
        return print, ("code ran",)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, capsys):
    with open(tmp_path / "face.pth", "wb") as handle:
        pickle.dump({"features.0.weight": Malice()}, handle, protocol=2)
    torch.save({"features.0.weight": Malice()}, tmp_path / "zip.pth")
    for name in ("face.pth", "zip.pth"):
        with pytest.raises(
            weights.WeightsError, match=r"refused, because it holds code.*allowed: a state dict"
        ):
            weights.load("alexnet", "face", face_weights=tmp_path / name)
    assert "code ran" not in capsys.readouterr().out


def test_wrong_shapes_missing_and_unexpected_tensors_are_named(tmp_path):
    wrong = state() | {"features.3.weight": torch.zeros(2, 2)}
    del wrong["features.0.bias"]
    wrong["features.99.weight"] = torch.zeros(1)
    torch.save(wrong, tmp_path / "face.pth")
    with pytest.raises(weights.WrongArchitecture) as error:
        weights.load("alexnet", "face", face_weights=tmp_path / "face.pth")
    for words in (
        "features.0.bias is missing",
        "features.99.weight is unexpected",
        "features.3.weight has shape (2, 2), needed is (192, 64, 5, 5)",
    ):
        assert words in str(error.value)


@pytest.mark.parametrize("name", ["face.pth", "face.safetensors"])
def test_a_truncated_file_is_named(tmp_path, name):
    whole = put(tmp_path, name, state()).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(weights.WeightsError, match=f"{name}: not readable"):
        weights.load("alexnet", "face", face_weights=tmp_path / name)


def test_a_file_without_convolutions_is_refused(tmp_path):
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "face.pth")
    with pytest.raises(weights.WeightsError, match=r"found conv1\.weight"):
        weights.load("alexnet", "face", face_weights=tmp_path / "face.pth")


def test_missing_weights_name_every_remedy(nowhere):
    with pytest.raises(weights.MissingWeights) as error:
        weights.load("vgg16", "imagenet")
    for words in ("vgg16", "make weights", "weights_dir=", "networks.missing_weights=untrained"):
        assert words in str(error.value)


class Server:
    """A local HTTP server for one file; ``breaks_after`` cuts the first answer off."""

    def __init__(self, content: bytes, breaks_after: int | None = None):
        self.content, self.breaks_after, self.asked = content, breaks_after, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *words):
                """Keep the test's output quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler):
        header = handler.headers.get("Range")
        self.asked.append((handler.path, header))
        start = int(header.removeprefix("bytes=").rstrip("-")) if header else 0
        if start >= len(self.content):
            handler.send_error(416)
            return
        rest = self.content[start:]
        handler.send_response(206 if header else 200)
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        sent, self.breaks_after = rest[: self.breaks_after], None
        handler.wfile.write(sent)
        handler.wfile.flush()
        if len(sent) < len(rest):
            handler.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *passed):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/models"


@pytest.fixture
def published(monkeypatch):
    """What torchvision would publish: a file whose name ends in its hash."""
    buffer = io.BytesIO()
    torch.save(state() | {"classifier.1.weight": torch.zeros(10, 10)}, buffer)
    content = buffer.getvalue()
    name = f"alexnet-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    monkeypatch.setattr(
        weights, "torchvision_weights", lambda backbone: SimpleNamespace(url=f"nowhere:/{name}")
    )
    return name, content


def test_networks_from_outside_are_passed_over_by_the_download(tmp_path):
    assert downloads.download(["torchvision:resnet18", "mine.py:small"], folder=tmp_path) == []


def test_a_broken_download_is_resumed_and_only_the_convolutions_are_kept(published, tmp_path):
    name, content = published
    half = len(content) // 2
    with Server(content, breaks_after=half) as server:
        with pytest.raises(downloads.DownloadError, match="goes on from there"):
            downloads.download(["fe_alexnet"], folder=tmp_path, base_url=server.url)
        assert (tmp_path / f"{name}.part").stat().st_size == half
        (kept,) = downloads.download(["alexnet"], folder=tmp_path, base_url=server.url)
    assert server.asked == [(f"/models/{name}", None), (f"/models/{name}", f"bytes={half}-")]
    assert [path.name for path in tmp_path.iterdir()] == [
        "alexnet_features_imagenet1k_v1.safetensors"
    ]
    assert load_file(kept).keys() == state().keys()
    loaded = weights.load("alexnet", "imagenet", weights_dir=tmp_path)
    assert torch.equal(loaded.features[0].weight, state()["features.0.weight"])


def test_a_full_disk_is_one_message_and_what_arrived_is_kept(
    published, tmp_path, capsys, monkeypatch
):
    def full(response, handle, left, progress):
        handle.write(response.read(1000))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads, "_copy", full)
    with Server(published[1]) as server, pytest.raises(SystemExit) as stopped:
        downloads.main(["alexnet", "--folder", str(tmp_path), "--base-url", server.url])
    assert stopped.value.code == 1 and "the disk is full" in capsys.readouterr().err
    assert next(tmp_path.glob("*.part")).stat().st_size == 1000


def test_a_wrong_hash_is_refused_and_deleted(published, tmp_path):
    content = published[1]
    with (
        Server(content[:-1] + b"x") as server,
        pytest.raises(downloads.DownloadError, match="is deleted"),
    ):
        downloads.download(["alexnet"], folder=tmp_path, base_url=server.url)
    assert list(tmp_path.iterdir()) == []


def test_what_is_here_is_not_asked_for_again_and_a_whole_part_is_taken(published, tmp_path):
    name, content = published
    (tmp_path / f"{name}.part").write_bytes(content)
    with Server(content) as server:
        downloads.download(["alexnet"], folder=tmp_path, base_url=server.url)
        downloads.download(["alexnet"], folder=tmp_path, base_url=server.url)
    assert len(server.asked) == 1


def test_the_command_says_what_went_wrong_and_ends_with_1(published, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        downloads.main(["alexnet", "--folder", str(tmp_path), "--base-url", "http://127.0.0.1:9"])
    assert end.value.code == 1 and "broke off" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        downloads.main(["resnet"])
    assert end.value.code == 2 and "allowed: alexnet, vgg11" in capsys.readouterr().err


@pytest.mark.parametrize("backbone", weights.BACKBONES)
def test_torchvisions_file_names_carry_the_start_of_their_hash(backbone):
    name = weight_files.torchvision_file(backbone)
    assert name.startswith(backbone) and int(name[-12:-4], 16) > 0


def test_convolutions_are_hashed_again_only_after_a_change(monkeypatch):
    features = weights.new_features("alexnet")
    first = weights.features_hash(features)
    monkeypatch.setattr(weights.hashlib, "sha256", None)
    assert weights.features_hash(features) == first
    monkeypatch.undo()
    with torch.no_grad():
        features[0].bias[3] += 1
    changed = weights.features_hash(features)
    features[0].bias.data = features[0].bias.data - torch.eye(64)[3]
    assert changed != first == weights.features_hash(features)
