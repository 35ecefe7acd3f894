"""Damage files of every kind that the workbook reads: each is read, or refused with the error meant
for it.

``python tests/fuzz_readers.py --minutes 10`` goes on for that long and prints what else was raised,
and with which seed; ``test_fuzz.py`` tries a few hundred of the same damages.
"""

from __future__ import annotations

import argparse
import collections
import io
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from safetensors.torch import save as save_tensors
from scipy.io import savemat

from lib.backbones import weights
from lib.morphs.landmarks import read_tem
from lib.people.files import read_answers
from lib.people.guess import guess_people
from lib.people.reading import read_people
from lib.people.trial_file import FILE_COLUMNS, TrialFile
from lib.people.trials import TrialError
from lib.pictures.reading import ImageError, read_image, unreadable
from lib.pictures.sources import find_images
from lib.settings.loading import StudyError, load_study
from lib.settings.options import ROOT

SMOKE = "data/studies/smoke.yaml"
SLOW_S = 20.0
TOKENS = [
    b"\0",
    b"\xff\xfe",
    b"nan",
    b"1e999",
    b"-1",
    b'"',
    b"'",
    b"\n",
    b",",
    b";",
    b"\t",
    b"../",
    b"/etc/hostname",
    b"~",
    b"*a",
    b"&a ",
    b"!!python/object:os.system ",
    b"{",
    b"[",
    b": ",
    b"\xef\xbb\xbf",
    b"9" * 400,
    b"\xf0\x9f\x98\x80",
    b"inf",
    b"<<: ",
    b"%",
    b"\r",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"[" * 3000,
]


@dataclass(frozen=True)
class Reader:
    """A file's name, whole contents of that kind, how it is read, and the only error that may
    come of it.
    """

    file: str
    contents: tuple[bytes, ...]
    read: Callable[[Path], object]
    error: type[Exception] | tuple[type[Exception], ...]


def damage(rng: np.random.Generator, contents: tuple[bytes, ...]) -> bytes:
    """One of the contents with one to five damages: bits, cuts, copies, foreign bytes, a part
    of another.
    """
    data = bytearray(contents[rng.integers(len(contents))])
    for _ in range(rng.integers(1, 6)):
        at, end = sorted(rng.integers(0, len(data) + 1, 2))
        other = contents[rng.integers(len(contents))]
        kind = rng.integers(7)
        if kind == 0 and len(data):
            data[min(at, len(data) - 1)] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del data[at : min(end, at + 40)]
        elif kind == 2:
            data[at:at] = data[at : min(end, at + 400)]
        elif kind == 3:
            data[at:at] = TOKENS[rng.integers(len(TOKENS))]
        elif kind == 4:
            del data[at if rng.random() < 0.3 else len(data) :]
        elif kind == 5:
            data[at : at + 4] = rng.integers(0, 256, 4, np.uint8).tobytes()
        else:
            data[at:end] = other[at:end]
    return bytes(data)


def attempt(reader: Reader, seed: int, folder: Path) -> str:
    """``read``, ``refused``, or the traceback of what should not have been raised."""
    path = folder / reader.file
    path.write_bytes(damage(np.random.default_rng(seed), reader.contents))
    started = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader.read(path)
        outcome = "read"
    except reader.error as error:
        outcome = "refused" if str(error).strip() else "an error without words"
    except Exception:
        outcome = traceback.format_exc()
    seconds = time.monotonic() - started
    return outcome if seconds < SLOW_S else f"took {seconds:.0f} s: {outcome}"


# ---- whole files
# ------------------------------------------------------------


def pictures(kind: str) -> tuple[bytes, ...]:
    """Small pictures of one format: grey, colour, and what else it can hold."""
    rng = np.random.default_rng(0)
    grey = Image.fromarray(rng.integers(0, 256, (20, 30), np.uint8))
    colour = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8))
    made = [grey, colour]
    if kind in ("png", "tiff"):
        made += [
            Image.fromarray(rng.integers(0, 65536, (20, 30)).astype(np.uint16)),
            colour.convert("RGBA"),
        ]
    if kind == "tiff":
        made += [Image.fromarray(rng.random((20, 30), np.float32)), colour.convert("CMYK")]
    if kind in ("png", "gif"):
        made.append(colour.convert("P"))
    return tuple(_encoded(picture, kind) for picture in made)


def _encoded(picture: Image.Image, kind: str) -> bytes:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    picture.save(buffer, kind, **({"exif": exif} if kind in ("jpeg", "png", "webp") else {}))
    return buffer.getvalue()


def answers() -> pd.DataFrame:
    """A few people's answers."""
    rows = [
        (who, level, "happy" if level > 40 else "sad", 0.5 + level / 1000)
        for who in ("p1", "p2")
        for level in (0, 25, 50, 75, 100)
    ]
    return pd.DataFrame(rows, columns=["participant", "percent", "answer", "rt"])


def _excel() -> bytes:
    buffer = io.BytesIO()
    answers().to_excel(buffer, index=False)
    return buffer.getvalue()


def _mat() -> bytes:
    buffer = io.BytesIO()
    columns = {name: column.to_numpy() for name, column in answers().items()}
    savemat(buffer, {"R": columns}, do_compression=True)  # as MATLAB does
    return buffer.getvalue()


def tables() -> tuple[bytes, ...]:
    """The same answers as many programs write them."""
    frame = answers()
    text = frame.to_csv(index=False)
    lines = text.splitlines()
    ids = ",".join(f'"{{""ImportId"":""{name}""}}"' for name in frame)
    return (
        text.encode("utf-8-sig"),
        text.replace(",", ";").replace(".", ",").encode("cp1252"),
        ("sep=;\r\n" + text.replace(",", ";")).encode(),
        ("A title\n\n" + text.replace(",", "\t")).encode("utf-16"),
        "\n".join([lines[0], "Who?,How much?,What?,Time", ids, *lines[1:]]).encode(),
        "\n".join([lines[0], *(f'"{n}",{line}' for n, line in enumerate(lines[1:]))]).encode(),
        text.replace("\n", ",\n").replace(",happy", "%,['happy']").encode(),
        frame.to_json(orient="records").encode(),
        frame.to_json(orient="records", lines=True).encode(),
        frame.to_json(orient="columns").encode(),
    )


def logs() -> tuple[bytes, ...]:
    """A log of Presentation: a row an event."""
    lines = ["Scenario - m", "", "Subject\tTrial\tEvent Type\tCode\tTime"]
    for n, row in enumerate(answers().itertuples()):
        lines.append(f"{row.participant}\t{n}\tPicture\tf_{row.percent}\t{n}0000")
        lines.append(f"{row.participant}\t{n}\tResponse\t{1 + (row.answer == 'sad')}\t{n}5000")
    return ("\n".join(lines).encode(), "\n".join(lines).encode("utf-16"))


def state() -> dict[str, torch.Tensor]:
    """Tensors named as torchvision names them; small, for files are read before shapes are
    checked.
    """
    return {
        f"features.{n}.{kind}": torch.arange(6.0).view(2, 3)
        for n in (0, 3)
        for kind in ("weight", "bias")
    }


def _pickled() -> bytes:
    buffer = io.BytesIO()
    torch.save(state(), buffer)
    return buffer.getvalue()


def manifests() -> tuple[bytes, ...]:
    splits = ("train", "validation", "test")
    rows = [
        f"{k}.png,{'happy' if k % 2 else 'sad'},{splits[k // 2 % 3]},p{k // 2}" for k in range(12)
    ]
    return (
        "\n".join(["path,label,split,identity", *rows]).encode(),
        "\n".join(["path,label", *(row.rsplit(",", 2)[0] for row in rows)]).encode(),
    )


def fer_tables() -> tuple[bytes, ...]:
    pixels = " ".join(str(k % 256) for k in range(48 * 48))
    rows = [
        f"{code},{pixels},{usage}"
        for usage in ("Training", "PublicTest", "PrivateTest")
        for code in (3, 4, 0)
    ]
    return ("\n".join(["emotion,pixels,Usage", *rows]).encode(),)


# ---- how they are read
# ------------------------------------------------------------


def _people(path: Path):
    return read_people(
        load_study(
            SMOKE,
            {
                "observers.file": str(path),
                "observers.level_range": [0, 100],
                "observers.codes": {"happy": 1, "sad": 0},
                "observers.columns": {
                    "observer": "participant",
                    "level": "percent",
                    "response": "answer",
                    "rt_s": "rt",
                },
            },
        )
    )


def _guessed(path: Path):
    """As ``study new`` guesses, and then as the run reads."""
    guess = guess_people(path, {}, {})
    keys = ("columns", "codes", "level_range", "rt_unit", "covariates", "rows", "missing")
    given = {f"observers.{key}": getattr(guess, key) for key in keys}
    return read_people(load_study(SMOKE, given | {"observers.file": str(path)}))


def _folder(path: Path):
    """A damaged file beside a whole one never refuses the other."""
    folder = path.parent / "folder"
    folder.mkdir(exist_ok=True)
    (folder / "b.csv").write_bytes(path.read_bytes())
    (folder / "a.csv").write_text(answers().to_csv(index=False), encoding="utf-8")
    found = read_answers(folder, needed=["participant", "percent", "answer"])
    assert sum(found.index.str.startswith("a.csv, row ")) == len(answers())


def _set(source: str) -> Callable[[Path], object]:
    def read(path: Path):
        study = load_study(SMOKE, {"images.source": source, "images.root": str(path)})
        for k in range(12):
            (path.parent / f"{k}.png").touch()
        before = _outside(path.parent)
        find_images(study, path.parent / "derived")
        assert _outside(path.parent) == before, "something was written outside the folder"

    return read


def _outside(folder: Path) -> list[str]:
    return sorted(path.name for place in (folder.parent, ROOT) for path in place.iterdir())


def _image(path: Path):
    broken = unreadable([path])
    try:
        read_image(path)
    except ImageError:
        raise
    assert not broken, f"read, and yet called unreadable: {broken}"


def readers() -> list[Reader]:
    """Every reader of files that come from outside."""
    studies = tuple(path.read_bytes() for path in sorted((ROOT / "data/studies").glob("*.yaml")))
    plain = tuple(answers().to_csv(index=False, sep=sep).encode() for sep in ",;")
    points = b"4\n1 2\n3 4.5\n-6 7\n8 9\n2\n0\n3\n0 1 2\n"
    trials = (",".join(FILE_COLUMNS) + "\n" + ",".join(["x"] * len(FILE_COLUMNS)) + "\n").encode()
    return [
        *(
            Reader(f"face.{kind}", pictures(kind), _image, ImageError)
            for kind in ("png", "jpeg", "bmp", "tiff", "webp", "gif")
        ),
        Reader("study.yaml", studies, load_study, StudyError),
        Reader("answers.csv", plain, _people, TrialError),
        Reader("answers.tsv", plain, _people, TrialError),
        Reader("answers.txt", tables(), _people, TrialError),
        Reader("answers.mat", (_mat(),), _people, TrialError),
        Reader("folder.csv", plain, _folder, ()),
        Reader("answers.xlsx", (_excel(),), _people, TrialError),
        Reader("guessed.csv", tables(), _guessed, (TrialError, StudyError)),
        Reader("guessed.log", logs(), _guessed, (TrialError, StudyError)),
        Reader("guessed.xlsx", (_excel(),), _guessed, (TrialError, StudyError)),
        Reader("task.csv", (trials,), lambda path: TrialFile(path).read(), TrialError),
        Reader("manifest.csv", manifests(), _set("manifest"), ImageError),
        Reader("fer2013.csv", fer_tables(), _set("fer2013_csv"), ImageError),
        Reader("face.tem", (points,), read_tem, ImageError),
        Reader("net.safetensors", (save_tensors(state()),), weights.read, weights.WeightsError),
        Reader("net.pth", (_pickled(),), weights.read, weights.WeightsError),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="a part of the file's name")
    options = parser.parse_args()
    chosen = [reader for reader in readers() if options.only in reader.file]
    counts, known, end, seed = (
        collections.Counter(),
        set(),
        time.monotonic() + 60 * options.minutes,
        options.seed,
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "inside"
        folder.mkdir()
        while time.monotonic() < end:
            for reader in chosen:
                outcome = attempt(reader, seed, folder)
                counts[reader.file, outcome if outcome in ("read", "refused") else "WRONG"] += 1
                kind = (reader.file, outcome.splitlines()[-1].split(":")[0])
                if outcome not in ("read", "refused") and kind not in known:
                    known.add(kind)
                    print(f"{reader.file}, seed {seed}:\n{outcome}", flush=True)
            seed += 1
    for (name, outcome), n in sorted(counts.items()):
        print(f"{name:16} {outcome:8} {n:7}")
    return int(bool(known))


if __name__ == "__main__":
    sys.exit(main())
