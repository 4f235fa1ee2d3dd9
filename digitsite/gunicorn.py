"""gunicorn --config python:digitsite.gunicorn digitsite.wsgi"""

from __future__ import annotations

from pathlib import Path

from digitsite import env

env.load_file(Path(__file__).resolve().parent.parent / ".env")

bind = env.text("BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = env.number("WEB_WORKERS", 2)
threads = env.number("WEB_THREADS", 4)
timeout = 30  # seconds
graceful_timeout = 30
keepalive = 5
max_requests = 20_000  # then a worker is replaced, one at a time
max_requests_jitter = 2_000
control_socket_disable = True  # it would lie in the home folder, which may not be writable
accesslog = "-" if env.flag("ACCESS_LOG", default=False) else None
