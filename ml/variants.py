"""Traced pictures and their fresh variants, made in processes that never import Keras."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from ml import augmentation, nondigits, preprocessing, processes
from ml.datasets import NOT_A_DIGIT, Dataset
from ml.preprocessing import FINE_BOX
from ml.refusals import Refused

CHUNK = 2048  # pictures that one process takes at a time
NON_DIGITS = 0.12  # drawn non-digits for each picture of an epoch


@dataclass(frozen=True)
class Traced:
    """Traced pictures: `bits` uint8 (n, FINE_BOX**2 / 8) packed, `sizes` (n, 2), `labels` (n,)."""

    bits: np.ndarray
    sizes: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def repeated(self, times: int) -> Traced:
        """All pictures, so many times, one round after the other."""
        return Traced(
            *(np.concatenate([part] * times) for part in (self.bits, self.sizes, self.labels))
        )

    def part(self, start: int, stop: int) -> Traced:
        """The pictures from `start` to before `stop`."""
        return Traced(self.bits[start:stop], self.sizes[start:stop], self.labels[start:stop])

    def shape(self, index: int) -> np.ndarray:
        """The shape of one picture: uint8 (h, w), 0 paper and 1 ink."""
        height, width = self.sizes[index]
        square = np.unpackbits(self.bits[index]).reshape(FINE_BOX, FINE_BOX)
        return np.ascontiguousarray(square[:height, :width])


@contextmanager
def workers() -> Iterator[Executor]:
    """Processes for everything here, as many as the machine has cores; what waits when it ends,
    by an error or an interrupt, is not done."""
    pool = processes.start(min(8, os.cpu_count() or 2))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def trace(
    parts: Sequence[Dataset],
    workers: Executor,
    *,
    non_digits: bool,
    repeat: Sequence[int] = (),
) -> Traced:
    """Trace every picture; one that the site would refuse teaches nothing and is left out.

    Args:
        workers: the processes that do it.
        non_digits: whether pictures labelled `NOT_A_DIGIT` are kept.
        repeat: how often the pictures of each part are there; once each when empty.
    """
    return begin_trace(parts, workers, non_digits=non_digits, repeat=repeat)()


def begin_trace(
    parts: Sequence[Dataset],
    workers: Executor,
    *,
    non_digits: bool,
    repeat: Sequence[int] = (),
) -> Callable[[], Traced]:
    """As `trace`, but returns at once; what it returns waits for the workers."""
    counts = np.repeat(repeat or [1] * len(parts), [len(part) for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    pictures = [picture for part in parts for picture in part.pictures]
    chunks = [pictures[i : i + CHUNK] for i in range(0, len(pictures), CHUNK)]
    done = workers.map(_trace_chunk, chunks)

    def traced() -> Traced:
        packed, measured = zip(*done, strict=True)
        bits, sizes = np.concatenate(packed), np.concatenate(measured)
        wanted = sizes[:, 0] > 0
        if not non_digits:
            wanted &= labels != NOT_A_DIGIT
        often = np.repeat(np.flatnonzero(wanted), counts[wanted])
        return Traced(bits[often], sizes[often], labels[often])

    return traced


def plain(traced: Traced, workers: Executor) -> np.ndarray:
    """The fields of traced pictures as they are: uint8 (n, 28, 28)."""
    chunks = [traced.part(start, start + CHUNK) for start in range(0, len(traced), CHUNK)]
    return np.concatenate(list(workers.map(_plain_chunk, chunks)))


class Variants:
    """Fresh variants of all pictures every epoch, made while the epoch before trains.

    The same seed gives the same variants, however many processes make them, but none of those that
    `before` epochs of earlier trainings with this seed have seen. Without `augment` every
    epoch has the pictures as they are. With `non_digits`, drawn ones are added.
    """

    def __init__(
        self,
        traced: Traced,
        workers: Executor,
        *,
        seed: int,
        epochs: int,
        non_digits: bool,
        augment: bool = True,
        before: int = 0,
    ) -> None:
        self._workers = workers
        self._count, self._seed = len(traced), seed
        self._non_digits, self._augment = non_digits, augment
        self._lots = epochs if augment else 1
        self._first = before  # the number of the first lot
        self._folder = Path(tempfile.mkdtemp(prefix="digits-"))
        for name in ("bits", "sizes", "labels"):
            np.save(self._folder / f"{name}.npy", getattr(traced, name))
        self._started: dict[int, list[Future[tuple[np.ndarray, np.ndarray]]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for job in chain.from_iterable(self._started.values()):
            job.cancel()
        shutil.rmtree(self._folder, ignore_errors=True)

    def take(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Fields uint8 (n, 28, 28) and labels (n,) of an epoch; the next lot is begun."""
        lot = min(epoch, self._lots - 1)
        wanted = range(lot, min(lot + 2, self._lots))
        for number in wanted:
            self._start(number)
        done = [job.result() for job in self._started[lot]]
        self._started = {number: self._started[number] for number in wanted}
        return np.concatenate([d[0] for d in done]), np.concatenate([d[1] for d in done])

    def _start(self, lot: int) -> None:
        if lot in self._started:
            return
        starts = range(0, self._count, CHUNK)
        self._started[lot] = [
            self._workers.submit(
                _vary_chunk,
                self._folder,
                range(start, min(start + CHUNK, self._count)),
                (self._seed, self._first + lot, start),
                self._non_digits,
                self._augment,
            )
            for start in starts
        ]


def _trace_chunk(pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Packed shapes and their sizes as in `Traced`; a refused picture has the size 0, 0."""
    cv2.setNumThreads(1)
    shapes = [_traced(picture) for picture in pictures]
    sizes = np.array([shape.shape for shape in shapes], np.int32)
    return np.stack([_packed(shape) for shape in shapes]), sizes


def _traced(picture: np.ndarray) -> np.ndarray:
    try:
        return preprocessing.trace(picture)[0]
    except Refused:
        return np.zeros((0, 0), np.uint8)


def _plain_chunk(traced: Traced) -> np.ndarray:
    cv2.setNumThreads(1)
    return _bytes([_field(traced.shape(index)) for index in range(len(traced))])


def _field(shape: np.ndarray) -> np.ndarray:
    return preprocessing.centre(preprocessing.redraw(shape))


def _vary_chunk(
    folder: Path, indices: range, seed: tuple[int, ...], non_digits: bool, augment: bool
) -> tuple[np.ndarray, np.ndarray]:
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    names = ("bits", "sizes", "labels")
    traced = Traced(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in names))

    def seen(shape: np.ndarray) -> np.ndarray:
        return augmentation.variant(shape, rng) if augment else _field(shape)

    fields = [seen(traced.shape(index)) for index in indices]
    labels = traced.labels[indices.start : indices.stop]
    if not non_digits:
        return _bytes(fields), labels
    drawn = int(len(indices) * NON_DIGITS)
    for _ in range(drawn):
        fields.append(seen(nondigits.draw(rng, lambda: _some_digit(traced, rng))))
    return _bytes(fields), np.concatenate([labels, np.full(drawn, NOT_A_DIGIT)])


def _some_digit(traced: Traced, rng: np.random.Generator) -> np.ndarray:
    while True:
        index = int(rng.integers(len(traced)))
        if traced.labels[index] != NOT_A_DIGIT:
            return traced.shape(index)


def _packed(shape: np.ndarray) -> np.ndarray:
    square = np.zeros((FINE_BOX, FINE_BOX), np.uint8)
    square[: shape.shape[0], : shape.shape[1]] = shape
    return np.packbits(square)


def _bytes(fields: list[np.ndarray]) -> np.ndarray:
    grey: np.ndarray = np.rint(np.stack(fields) * 255).astype(np.uint8)
    return grey
