"""Browsers that send pictures one after another: `python -m tests.benchmarks.load PORT`."""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie

from fixtures.drawing import draw
from ml import images

BOUNDARY = "picture-boundary"
STAY = 10  # pictures over one connection; a server shares out connections, not requests


@dataclass(frozen=True)
class Way:
    """One way in: where the token comes from, where the picture goes, and what a yes looks like."""

    page: str
    address: str
    field: str
    status: int


WAYS = {
    "upload": Way("/", "/", "picture", 302),
    "live": Way("/draw/", "/live/", "picture", 200),
    "predict": Way("", "/predict", "file", 200),  # a program: no page, no cookies
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--browsers", type=int, default=8)
    parser.add_argument("--way", choices=WAYS, default="upload")
    options = parser.parse_args()
    way = WAYS[options.way]
    end = time.perf_counter() + options.seconds
    browsers = [Browser(way, options.port, number, end) for number in range(options.browsers)]
    start = time.perf_counter()
    for browser in browsers:
        browser.start()
    for browser in browsers:
        browser.join()
    seconds = time.perf_counter() - start
    times = [time for browser in browsers for time in browser.times]
    errors = [error for browser in browsers for error in browser.errors]
    json.dump({"seconds": seconds, "times": times, "errors": errors}, sys.stdout)


class Browser(threading.Thread):
    """Opens the page for its token and cookies, then sends the form again and again.

    It connects anew now and then, as visitors come and go.
    It speaks HTTP over a plain socket: it shares the machine's cores with the site, and
    `http.client` would take a good part of them.
    """

    def __init__(self, way: Way, port: int, number: int, end: float) -> None:
        super().__init__()
        self.way = way
        self.port = port
        self._connect()
        self.cookies: dict[str, str] = {}
        self.pictures = [images.to_png(draw(digit, seed=number)) for digit in range(10)]
        self.end = end
        self.times: list[float] = []
        self.errors: list[str] = []

    def run(self) -> None:
        if self.way.page:
            self._send(self._request("GET", self.way.page))
        forms = [
            _form(self.way.field, picture, self.cookies.get("csrftoken", ""))
            for picture in self.pictures
        ]
        self._send(self._request("POST", self.way.address, forms[0]))  # gets the visitor's cookie
        requests = [self._request("POST", self.way.address, form) for form in forms]
        while time.perf_counter() < self.end:
            if len(self.times) % STAY == 0 and not self._connect_anew():
                return
            request = requests[len(self.times) % len(requests)]
            start = time.perf_counter()
            status = self._send(request)
            self.times.append((time.perf_counter() - start) * 1000)
            if status != self.way.status:
                self.errors.append(f"status {status}")
                if not status:
                    return

    def _connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.answers = self.socket.makefile("rb")

    def _connect_anew(self) -> bool:
        self.answers.close()
        self.socket.close()
        try:
            self._connect()
        except OSError as error:
            self.errors.append(repr(error))
            return False
        return True

    def _request(self, method: str, address: str, body: bytes = b"") -> bytes:
        lines = [f"{method} {address} HTTP/1.1", "Host: 127.0.0.1"]
        if self.cookies:
            pairs = (f"{name}={value}" for name, value in self.cookies.items())
            lines.append(f"Cookie: {'; '.join(pairs)}")
        if body:
            lines.append(f"Content-Type: multipart/form-data; boundary={BOUNDARY}")
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def _send(self, request: bytes) -> int:
        """The status of the answer; 0 when there was none."""
        try:
            self.socket.sendall(request)
            status = int(self.answers.readline().split()[1])
            length = 0
            while line := self.answers.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
                elif name.lower() == b"set-cookie":
                    found = SimpleCookie(value.decode())
                    self.cookies |= {key: morsel.value for key, morsel in found.items()}
            self.answers.read(length)
        except (OSError, IndexError) as error:
            self.errors.append(repr(error))
            return 0
        return status


def _form(field: str, picture: bytes, token: str) -> bytes:
    return b"".join(
        [
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
            f'name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'.encode(),
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; '
            'filename="digit.png"\r\nContent-Type: image/png\r\n\r\n'.encode(),
            picture,
            f"\r\n--{BOUNDARY}--\r\n".encode(),
        ]
    )


if __name__ == "__main__":
    main()
