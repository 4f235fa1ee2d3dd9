"""gunicorn --config python:digitsite.gunicorn digitsite.wsgi"""

from __future__ import annotations

from pathlib import Path

from digitsite import env

env.load_file(Path(__file__).resolve().parent.parent / ".env")

bind = env.text("BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = env.number("WEB_WORKERS", 2, least=1)
threads = env.number("WEB_THREADS", 4, least=1)
timeout = 30  # seconds
graceful_timeout = 30
keepalive = 5
# Then a worker is replaced, one at a time. Rarely: it closes connections that clients keep
# open, and under full load 16 requests of a benchmark failed so.
max_requests = 500_000
max_requests_jitter = 50_000
control_socket_disable = True  # it would lie in the home folder, which may not be writable
accesslog = "-" if env.flag("ACCESS_LOG", default=False) else None


def post_worker_init(worker: object) -> None:
    """Load what the first visitor of each worker would wait for: a third of a second."""
    from django.db import connections
    from django.urls import get_resolver

    from ml.scripts import LATIN
    from recognition import recognizers

    get_resolver().url_patterns  # noqa: B018  asking for them loads the views
    recognizers.warm(LATIN.code)
    connections.close_all()  # each thread will have its own
