"""Many picture files, read on all cores and told in order."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from ml import images, processes
from ml.images import Kept
from ml.recognizer import Reading, Recognizer

CHUNK = 16  # files; sending a file's result between processes costs a tenth of reading it
ALONE = 128  # files; fewer are read sooner than processes start


@dataclass(frozen=True)
class FileReading:
    """What came of one file: a reading, or the `error` that kept it from being read.

    `path` is as it was given. `error` is a code: one of `images.PictureError`, or not_found or
    unreadable. `kept` is the picture encoded anew, when it was asked for.
    """

    path: str
    reading: Reading | None = None
    kept: Kept | None = None
    duration_ms: float = 0.0
    error: str = ""


def read_files(
    directory: Path, paths: Iterable[str], *, workers: int, keep: bool
) -> Iterator[list[FileReading]]:
    """Read files with the model of a directory, lazily and in order, a few at a time.

    Python's lock lets threads share barely more than one core here, so several workers are
    processes. With one worker each file is read only when its result is asked for.

    Args:
        workers: processes that read; 1 reads in this one.
        keep: whether to encode the pictures anew, for a record.

    Raises:
        cards.CardError: the model directory cannot be used.
    """
    recognizer = Recognizer.load(directory)
    files = iter(paths)
    if workers == 1:
        yield from ([read_file(recognizer, path, keep=keep)] for path in files)
        return
    first = list(itertools.islice(files, ALONE))
    if len(first) < ALONE:
        yield from ([read_file(recognizer, path, keep=keep)] for path in first)
        return
    yield from _read_in_processes(directory, itertools.chain(first, files), workers, keep)


def read_file(recognizer: Recognizer, path: str, *, keep: bool) -> FileReading:
    """Read one file; what is wrong with it is told, not raised."""
    place = Path(path)
    try:
        if place.exists() and not place.is_file():  # a pipe would be waited for, for ever
            return FileReading(path, error="unreadable")
        with place.open("rb") as file:
            data = file.read(images.MAX_BYTES + 1)
    except FileNotFoundError:
        return FileReading(path, error="not_found")
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return FileReading(path, error="unreadable")
    start = time.perf_counter()
    try:
        picture = images.open_picture(data)
    except images.PictureError as error:
        return FileReading(path, error=error.code)
    reading = recognizer.read(picture.gray)
    duration_ms = (time.perf_counter() - start) * 1000
    return FileReading(path, reading, images.keep(picture) if keep else None, duration_ms)


def _read_in_processes(
    directory: Path, files: Iterator[str], workers: int, keep: bool
) -> Iterator[list[FileReading]]:
    pool = processes.start(workers, _prepare, directory, keep)
    waiting: deque[Future[list[FileReading]]] = deque()
    try:
        while chunk := list(itertools.islice(files, CHUNK)):
            waiting.append(pool.submit(_read_chunk, chunk))
            if len(waiting) > 3 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare(directory: Path, keep: bool) -> None:
    global _worker
    _worker = (Recognizer.load(directory), keep)


def _read_chunk(paths: list[str]) -> list[FileReading]:
    recognizer, keep = _worker
    return [read_file(recognizer, path, keep=keep) for path in paths]


_worker: tuple[Recognizer, bool]
