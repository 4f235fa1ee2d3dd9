"""How commands end early."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError, OutputWrapper


@contextmanager
def stoppable(so_far: Callable[[], str] = str) -> Iterator[None]:
    """Let Ctrl-C end a command in a sentence.

    Args:
        so_far: what was done until then, in more sentences.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        said = f"Stopped. {so_far()}".strip()
        raise CommandError(said, returncode=128 + signal.SIGINT) from error


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """End a command without a word when its reader, `head` for one, has seen enough."""
    try:
        yield
    except BrokenPipeError:
        close_standard_output()


@contextmanager
def told_if_unwritten(what: str, then: str = "") -> Iterator[None]:
    """End a command in a sentence where a file of it cannot be written.

    Args:
        then: what is left to do, in more sentences.
    """
    try:
        yield
    except OSError as error:
        raise CommandError(f"{what} cannot be written: {error}. {then}".strip()) from error


def write(stdout: OutputWrapper, text: str) -> None:
    """Write a command's results at once.

    Raises:
        BrokenPipeError: nobody reads them any more.
        CommandError: they cannot be written, for want of room for one.
    """
    if not text:
        return
    try:
        stdout.write(text, ending="")
        stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        close_standard_output()  # what is left in its buffer could not be written either
        raise CommandError(f"The results could not be written: {error.strerror}.") from error


def close_standard_output() -> None:
    """Python would try to write what is left once more, when it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM, by which systemd and Docker end a program, clear up as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():  # no other one may listen
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
