"""One picture, from the bytes of its file to the reading; and a folder of pictures."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from fixtures.draw_samples import newest_model
from fixtures.drawing import draw
from fixtures.photographs import photograph
from ml import images
from ml.recognizer import Recognizer, Verdict
from tests.benchmarks.result import Result, percentile

PICTURES = 100
ROUNDS = 10
FILES = 20_000


def one_picture() -> list[Result]:
    recognizer = Recognizer.load(newest_model())
    files = _pictures()
    for data in files:
        recognizer.read(images.open_picture(data).gray)
    times = []
    for data in files * ROUNDS:
        start = time.perf_counter()
        recognizer.read(images.open_picture(data).gray)
        times.append((time.perf_counter() - start) * 1000)
    return [
        Result(
            "One 280x280 PNG, bytes to reading, warm",
            f"p50 {percentile(times, 50):.2f} ms, p99 {percentile(times, 99):.2f} ms",
            "p50 <= 3 ms, p99 <= 8 ms",
            f"{len(times)} readings of {len(files)} drawn pictures, one thread",
        )
    ]


def photographs() -> list[Result]:
    """How many photographs of drawn digits are read right; no training has seen their like."""
    recognizer = Recognizer.load(newest_model())
    rows = []
    for size, hands in (((1200, 900), 30), ((4000, 3000), 3)):
        right, accepted, wrong = _count_right(recognizer, size, hands)
        count = 10 * hands
        rows.append(
            Result(
                f"Photographs of drawn digits, {size[0]}x{size[1]}, read right",
                f"{right / count:.1%} of {count}; accepted {accepted / count:.1%}, "
                f"of these wrong {wrong}",
                how="shadow, ruled lines, tilt, blur, noise and JPEG: `fixtures/photographs.py`, "
                f"seeds 1000 to {999 + hands}",
            )
        )
    return rows


def _count_right(recognizer: Recognizer, size: tuple[int, int], hands: int) -> tuple[int, int, int]:
    right = accepted = wrong = 0
    for seed in range(1000, 1000 + hands):
        for digit in range(10):
            data = _jpeg(photograph(digit, seed=seed, size=size))
            reading = recognizer.read(images.open_picture(data).gray)
            best = reading.digits[0].label if reading.digits else ""
            right += best == str(digit)
            accepted += reading.verdict is Verdict.ACCEPTED
            wrong += reading.verdict is Verdict.ACCEPTED and best != str(digit)
    return right, accepted, wrong


def keras_predict() -> list[Result]:
    """What the reports did: squash the picture to 28x28 and call Keras's `predict`."""
    from ml.networks import r3

    start = time.perf_counter()
    model = r3(10)
    files = _pictures()
    model.predict(_squash(files[0]), verbose=0)
    first = time.perf_counter() - start
    times = []
    for data in files:
        start = time.perf_counter()
        model.predict(_squash(data), verbose=0)
        times.append((time.perf_counter() - start) * 1000)
    return [
        Result(
            "The same by Keras `predict`: report R3's network, plain resize (baseline)",
            f"p50 {percentile(times, 50):.0f} ms, p99 {percentile(times, 99):.0f} ms; "
            f"{_resident():.0f} MB; {first:.1f} s until the first answer",
            how=f"{len(times)} readings of the same pictures",
        )
    ]


def folder(work: Path) -> list[Result]:
    pictures = work / "28x28"
    pictures.mkdir()
    for number in range(FILES):
        pixels = draw(number % 10, seed=number, size=(28, 28), width=2.2, box=(7, 4, 14, 20))
        (pictures / f"{number:05d}.png").write_bytes(images.to_png(pixels))
    command = [sys.executable, "manage.py", "recognize", str(pictures), "--no-save"]
    speeds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(
            [*command, "--format", "csv"], check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        speeds.append(FILES / (time.perf_counter() - start))
    return [
        Result(
            "`recognize --no-save` over a folder of 28x28 files",
            f"{sorted(speeds)[1]:.0f} pictures/s",
            ">= 1500 pictures/s on 2 cores",
            f"median of {len(speeds)} runs over {FILES} files, start of the command included",
        )
    ]


def _pictures() -> list[bytes]:
    return [images.to_png(draw(number % 10, seed=number)) for number in range(PICTURES)]


def _jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _squash(data: bytes) -> np.ndarray:
    small = Image.open(io.BytesIO(data)).convert("L").resize((28, 28))
    return np.asarray(small, np.float32).reshape(1, 28, 28, 1) / 255.0


def _resident() -> float:
    pages = int(Path(f"/proc/{os.getpid()}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
