"""Browsers that send pictures one after another: `python -m tests.benchmarks.load PORT`."""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import threading
import time
from http.cookies import SimpleCookie

from fixtures.drawing import draw
from ml import images

BOUNDARY = "picture-boundary"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--browsers", type=int, default=8)
    options = parser.parse_args()
    end = time.perf_counter() + options.seconds
    browsers = [Browser(options.port, number, end) for number in range(options.browsers)]
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
    """Opens the page for its token and cookies, then sends the form again and again."""

    def __init__(self, port: int, number: int, end: float) -> None:
        super().__init__()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: dict[str, str] = {}
        self.pictures = [images.to_png(draw(digit, seed=number)) for digit in range(10)]
        self.end = end
        self.times: list[float] = []
        self.errors: list[str] = []

    def run(self) -> None:
        self._send("GET", b"")
        token = self.cookies["csrftoken"]
        bodies = [_form(picture, token) for picture in self.pictures]
        self._send("POST", bodies[0])  # the first one makes the session
        while time.perf_counter() < self.end:
            body = bodies[len(self.times) % len(bodies)]
            start = time.perf_counter()
            status = self._send("POST", body)
            self.times.append((time.perf_counter() - start) * 1000)
            if status != 302:
                self.errors.append(f"status {status}")

    def _send(self, method: str, body: bytes) -> int:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body:
            headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        try:
            self.connection.request(method, "/", body or None, headers)
            response = self.connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            self.errors.append(repr(error))
            self.connection.close()
            return 0
        for line in response.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return response.status


def _form(picture: bytes, token: str) -> bytes:
    return b"".join(
        [
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
            f'name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'.encode(),
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="picture"; '
            'filename="digit.png"\r\nContent-Type: image/png\r\n\r\n'.encode(),
            picture,
            f"\r\n--{BOUNDARY}--\r\n".encode(),
        ]
    )


if __name__ == "__main__":
    main()
