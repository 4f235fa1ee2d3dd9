"""Pictures of an evaluation, made and read in processes, and told in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self, overload

import numpy as np

from ml import evaluation, processes
from ml.evaluation import Readings
from ml.recognizer import Reading, Recognizer

CHUNK = 64  # pictures that a process reads at a time
ALONE = 128  # pictures; fewer are read sooner than processes start


@dataclass(frozen=True)
class Made(Sequence[np.ndarray]):
    """Pictures that are made when they are looked at, in whichever process that is.

    `make` draws the picture of a number: a function of a module, or what can be pickled.
    """

    make: Callable[[int], np.ndarray]
    numbers: range

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> Made: ...
    def __getitem__(self, index: int | slice) -> np.ndarray | Made:
        if isinstance(index, slice):
            return Made(self.make, self.numbers[index])
        return self.make(self.numbers[index])


class Readers:
    """Processes that read with the model of one directory; one worker reads in this process.

    Raises:
        cards.CardError: the model directory cannot be used.
    """

    def __init__(self, directory: Path, *, workers: int) -> None:
        self.recognizer = Recognizer.load(directory)
        self._pool = None
        if workers > 1:
            self._pool = processes.start(workers, _prepare, directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def read(self, pictures: Sequence[np.ndarray] | np.ndarray, labels: np.ndarray) -> Readings:
        """Read every picture with the file that is served.

        Args:
            pictures: uint8 arrays (height, width), upright.
            labels: int (n,), 0 to 9 or `NOT_A_DIGIT`.
        """
        few = len(pictures) < ALONE and not isinstance(pictures, Made)
        if self._pool is None or few:
            return evaluation.collect(map(self.recognizer.read, pictures), labels)
        size = max(1, min(CHUNK, len(pictures) // 8))
        chunks = [pictures[start : start + size] for start in range(0, len(pictures), size)]
        told = chain.from_iterable(self._pool.map(_read, chunks))
        return evaluation.collect(told, labels)


def _prepare(directory: Path) -> None:
    global _recognizer
    _recognizer = Recognizer.load(directory)


def _read(pictures: Sequence[np.ndarray]) -> list[Reading]:
    return [_recognizer.read(picture) for picture in pictures]


_recognizer: Recognizer
