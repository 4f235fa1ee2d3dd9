"""How much a program may ask for: so many requests a minute for each key or address."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import re
import time
from collections.abc import Iterator

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from recognition.models import ApiKey

logger = logging.getLogger(__name__)

WINDOW = 60  # seconds
WITH_PORT = re.compile(r"\[(.+)\](?::\d+)?|([\d.]+):\d+")


class TooManyRequests(Exception):
    """The allowance is used up; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Try again in {retry_after} seconds.")
        self.retry_after = retry_after


def spend(
    request: HttpRequest, key: ApiKey | None = None, *, cost: int = 1, is_let_in: bool = False
) -> None:
    """Take a request, or several, off the key's allowance; without a key, off the address's.

    What is left may be overdrawn once, so that a request for many pictures can ever succeed. A
    request that is let in was counted when it came: what it costs besides is only added.
    Two processes that count at the same moment may count one request: the limit keeps a program
    from taking the whole server, and need not be exact.

    Raises:
        TooManyRequests: nothing is left until the next minute.
    """
    allowance = settings.API_LIMIT_PER_KEY if key else settings.API_LIMIT_PER_ADDRESS
    if not allowance:
        return

    window, elapsed = divmod(int(time.time()), WINDOW)
    who = f"key:{key.pk}" if key else f"address:{address(request)}"
    name = f"limit:{who}:{window}"
    used = 0
    with counting():
        used = cache.get(name, 0)
    if used >= allowance and not is_let_in:
        raise TooManyRequests(WINDOW - elapsed)
    with counting():
        cache.set(name, used + cost, WINDOW)


@contextlib.contextmanager
def counting() -> Iterator[None]:
    """Where a count is read or written: that it cannot be is logged, and keeps nobody out."""
    try:
        yield
    except OSError:
        logger.exception("No request and no wrong password can be counted in CACHE_ROOT")


def address(request: HttpRequest) -> str:
    """Where a request comes from. Of IPv6 the network: one household has 2^64 addresses.

    A trusted proxy puts the address that it saw at the end of `X-Forwarded-For`; what stands
    before that was written by the sender.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.TRUST_PROXY:
        forwarded = request.headers.get("X-Forwarded-For", "")
        text = forwarded.rpartition(",")[2].strip() or text
    try:
        found = ipaddress.ip_address(_without_port(text))
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _without_port(text: str) -> str:
    """Some proxies name it too: 192.0.2.1:5678, [2001:db8::1]:443."""
    found = WITH_PORT.fullmatch(text)
    return found[1] or found[2] if found else text
