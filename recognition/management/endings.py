"""How commands end early."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError


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
