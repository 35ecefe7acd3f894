"""How fast faces are drawn, per CPU second of one core: `python
tests/benchmarks/bench_faces.py`.
"""

import time

import cv2
import numpy as np

from lib.faces.render import Nuisance, make_identity, render_face
from lib.pictures.reading import encode_png


def rate(work, n: int) -> float:
    """Calls a CPU second."""
    start = time.process_time()
    for k in range(n):
        work(k)
    return n / (time.process_time() - start)


def main() -> None:
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    people, snapshots = (
        [make_identity(i) for i in range(24)],
        [Nuisance.sample(rng) for _ in range(240)],
    )
    first = rate(lambda k: render_face(people[k], 0.5), 24)
    photographs = rate(
        lambda k: render_face(people[k % 24], k % 21 / 20, nuisance=snapshots[k]), 240
    )
    morphs = rate(lambda k: render_face(people[k // 21], k % 21 / 20), 240)
    face = render_face(people[0], 0.5, nuisance=snapshots[0])
    files = rate(lambda k: encode_png(face), 100)
    print(f"a person's first picture: {first:.0f} a second")
    print(f"with nuisance: {photographs:.0f} a second (needed are 25 on each of two cores)")
    print(f"morphs: {morphs:.0f} a second, {morphs / photographs:.2f} times as fast")
    print(f"encoding to PNG: {files:.0f} a second, {photographs / files:.0%} of the drawing time")


if __name__ == "__main__":
    main()
