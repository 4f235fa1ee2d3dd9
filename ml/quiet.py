"""Keeping native libraries from talking into a terminal."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_libraries() -> Iterator[None]:
    """Drop what libraries write to the process's error stream past Python, for a while.

    TensorFlow greets with a dozen lines about processors and drivers before any setting is
    read. Errors still come: as exceptions. What other threads write meanwhile is dropped too.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def tensorflow() -> Iterator[None]:
    """Where Keras and TensorFlow are imported for the first time: nothing of what they say."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with native_libraries():
        yield
