from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.visits import Visit

if TYPE_CHECKING:  # the benchmarks take their browser from here, before Django is ready
    from playwright.sync_api import Browser
    from pytest_django.live_server_helper import LiveServer

    from recognition.models import TrainedModel

SIZES = {"phone": (375, 760), "desk": (1280, 860)}
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (  # a browser that asks nobody for anything
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium where there is one, else the one that Playwright brings."""
    return {**browser_type_launch_args, "executable_path": chromium(), "args": list(QUIET)}


@pytest.fixture(scope="session", autouse=True)
def allow_the_database() -> Iterator[None]:
    """Playwright's loop makes Django think that it is called from asynchronous code."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(params=itertools.product(SIZES, ("light", "dark")), ids="-".join)
def visit(
    request: pytest.FixtureRequest,
    browser: Browser,
    live_server: LiveServer,
    digit_model: TrainedModel,
) -> Iterator[Visit]:
    """Somebody on a phone and at a desk, by day and by night."""
    size, scheme = request.param
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        has_touch=size == "phone",
        reduced_motion="reduce",
    )
    yield Visit(context.new_page(), live_server.url)
    context.close()


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer, digit_model: TrainedModel) -> Iterator[Visit]:
    width, height = SIZES["desk"]
    context = browser.new_context(viewport={"width": width, "height": height})
    yield Visit(context.new_page(), live_server.url)
    context.close()
