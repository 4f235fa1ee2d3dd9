"""The site itself: start-up, pictures sent to gunicorn, memory, and the admin's list."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.result import Result, percentile

SECONDS = 8
ROUNDS = 3  # of all ways in, in turn: the machine's own speed changes meanwhile
BROWSERS = 8
WAYS = {
    "upload": "Site: predict and store, gunicorn with 2 workers, SQLite",
    "predict": "The same through `POST /predict`",
    "live": "The same through the live endpoint, which stores nothing",
}
RECORDS = 100_000
PAGES = {
    "first page": "",
    "refused": "?verdict__exact=refused",
    "read as 7": "?read=7",
    "wrong": "?review=wrong",
    "below 50 %": "?confidence=below-50",
    "one month": "?created_at__year=2026&created_at__month=3",
    "search": "?q=5",
    "search that finds nothing": "?q=77",
    "a script without records": "?script__exact=tamil",
    "by confidence": "?o=5",
    "last page that is counted": "?p=200",
}


def collect_static() -> None:
    _manage("collectstatic", "--no-input")


def start_up() -> list[Result]:
    check = _median_seconds([sys.executable, "manage.py", "check"])
    wsgi = _median_seconds([sys.executable, "-c", "import digitsite.wsgi"])
    return [
        Result("`manage.py check`", f"{check:.2f} s", "<= 1.0 s", "median of 7 processes"),
        Result("Import of the WSGI module", f"{wsgi:.2f} s", "<= 1.0 s", "median of 7 processes"),
    ]


def requests() -> list[Result]:
    """Pictures sent by many browsers at once, through each way in."""
    with serving() as (port, server):
        _send(port, "upload", seconds=3)
        measured: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for way in ROUNDS * list(WAYS):
            measured[way].append(_send(port, way, seconds=SECONDS))
        memory = [_memory(worker) for worker in _children(server.pid)]
        for _ in range(50):  # until both have answered
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=30).close()
        with_api = [_memory(worker) for worker in _children(server.pid)]
    return [
        *(_load(WAYS[way], rounds) for way, rounds in measured.items()),
        Result(
            "Memory of a web worker after that load",
            _both(memory),
            "<= 120 MB",
            "resident set; the share divides what workers have in common",
        ),
        Result(
            "The same once it has answered under `/api/v1/`",
            _both(with_api),
            how="what reads and writes the API's documents is loaded with the first such request",
        ),
    ]


def _both(memory: list[tuple[float, float]]) -> str:
    return " and ".join(f"{rss:.0f} MB ({pss:.0f} MB its share)" for rss, pss in memory)


@contextlib.contextmanager
def serving() -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The site behind gunicorn with two workers: its port and its process."""
    _manage("migrate")
    _manage("install_pretrained")
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:digitsite.gunicorn",
         "digitsite.wsgi"],
        env=os.environ | {"BIND": f"127.0.0.1:{port}", "WEB_WORKERS": "2",
                          "API_LIMIT_PER_ADDRESS": "0"},
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        yield port, server
    finally:
        server.terminate()
        server.wait()


def _load(what: str, rounds: list[dict[str, Any]]) -> Result:
    rates = sorted(len(found["times"]) / found["seconds"] for found in rounds)
    times = [time for found in rounds for time in found["times"]]
    errors = sum(len(found["errors"]) for found in rounds)
    return Result(
        what,
        f"{statistics.median(rates):.0f} requests/s ({rates[0]:.0f} to {rates[-1]:.0f}), "
        f"{errors} errors, p50 {percentile(times, 50):.0f} ms, p99 {percentile(times, 99):.0f} ms",
        ">= 400 requests/s, 0 errors, p99 < 100 ms",
        f"median of {len(rounds)} rounds of {SECONDS} s, all ways in turn; {BROWSERS} senders in "
        f"one process on the same machine, {len(times)} pictures",
    )


def _send(port: int, way: str, *, seconds: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.load", str(port), "--way", way,
               "--seconds", str(seconds), "--browsers", str(BROWSERS)]  # fmt: skip
    answer = subprocess.run(command, check=True, capture_output=True).stdout
    measured: dict[str, Any] = json.loads(answer)
    return measured


def admin_list() -> list[Result]:
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    from recognition.models import Prediction

    call_command("migrate", verbosity=0)
    call_command("install_pretrained", verbosity=0)
    Prediction.objects.all().delete()
    call_command("fill_predictions", RECORDS, verbosity=0)
    Prediction.objects.update(picture="00/invented.png")  # so that the list shows thumbnails
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("bench"))
    times = {name: _page_ms(client, query) for name, query in PAGES.items()}
    slowest = max(times, key=lambda name: times[name])
    return [
        Result(
            f"Admin: list of {RECORDS} predictions, SQLite",
            f"{times['first page']:.0f} ms; slowest of {len(PAGES)} filters, searches and "
            f"orders: {times[slowest]:.0f} ms ({slowest})",
            "< 300 ms",
            "median of 7 requests each, 50 rows a page",
        )
    ]


def _page_ms(client: object, query: str) -> float:
    times = []
    for _ in range(7):
        start = time.perf_counter()
        response = client.get(f"/admin/recognition/prediction/{query}")  # type: ignore[attr-defined]
        times.append((time.perf_counter() - start) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"{query} answered {response.status_code}")
    return statistics.median(times)


def _manage(*arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], check=True, capture_output=True)


def _median_seconds(command: list[str]) -> float:
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer.")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _memory(pid: int) -> tuple[float, float]:
    """Resident set and proportional share in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1000 for line in lines}
    return sizes["Rss"], sizes["Pss"]
