"""A person holds a digit before the camera. The camera is Chromium's false one, fed with a film."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserType, Page, Request, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from fixtures import drawing
from recognition.models import Prediction, TrainedModel
from tests.browser.visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Launch = Callable[..., Browser]

WIDTH, HEIGHT = 640, 480
ALLOW = "--use-fake-ui-for-media-stream"  # says yes when the browser asks
CAMERA = "--use-fake-device-for-media-stream"
IS_FILMING = "document.querySelector('[data-video]').srcObject?.active === true"


def film(path: Path, digit: int) -> Path:
    """A film in which somebody holds the digit still before the camera."""
    gray = drawing.draw(digit, size=(WIDTH, HEIGHT), paper=215, ink=60, width=14)
    colourless = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8).tobytes()
    frame = b"FRAME\n" + gray.tobytes() + colourless + colourless
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + 10 * frame)
    return path


@pytest.fixture
def launch(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Launch]:
    """A browser of its own: what its camera shows is said when it starts."""
    browsers = []

    def launch(*arguments: str) -> Browser:
        options = {**browser_type_launch_args}
        options["args"] = [*options["args"], *arguments]
        browsers.append(browser_type.launch(**options))
        return browsers[-1]

    yield launch
    for browser in browsers:
        browser.close()


def open_camera(browser: Browser, site: str, **options: Any) -> Visit:
    visit = Visit(browser.new_context(**options).new_page(), site)
    visit.go("/camera/")
    return visit


def start(page: Page) -> None:
    page.get_by_role("button", name="Start the camera").click()


@pytest.mark.parametrize(
    ("size", "scheme"), [((390, 844), "light"), ((390, 844), "dark"), ((1280, 800), "dark")]
)
def test_a_digit_is_read_while_it_is_filmed_and_kept_when_frozen(
    size: tuple[int, int],
    scheme: str,
    launch: Launch,
    live_server: LiveServer,
    digit_model: TrainedModel,
    tmp_path: Path,
) -> None:
    source = film(tmp_path / "four.y4m", 4)
    browser = launch(CAMERA, ALLOW, f"--use-file-for-fake-video-capture={source}")
    viewport = {"width": size[0], "height": size[1]}
    visit = open_camera(browser, live_server.url, viewport=viewport, color_scheme=scheme)
    page = visit.page
    violations = visit.violations()

    start(page)

    expect(page.locator("[data-text]")).to_have_text("4")
    expect(page.get_by_role("button", name="Keep")).to_be_disabled()
    violations += visit.violations()
    assert not Prediction.objects.exists()

    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_role("button", name="Keep")).to_be_enabled()
    assert page.evaluate(IS_FILMING) is False
    expect(page.locator("[data-text]")).to_have_text("4")
    violations += visit.violations()
    page.get_by_role("button", name="4", exact=True).click()

    expect(page.get_by_text("Kept. Right, it is 4.")).to_be_visible()
    prediction = Prediction.objects.get()
    assert (prediction.text, prediction.source, prediction.true_text) == ("4", "camera", "4")
    assert not visit.is_too_wide()
    assert violations == []
    assert visit.complaints == []
    assert visit.foreign == []


def test_it_films_again_after_it_was_frozen(
    launch: Launch, live_server: LiveServer, digit_model: TrainedModel, tmp_path: Path
) -> None:
    source = film(tmp_path / "two.y4m", 2)
    browser = launch(CAMERA, ALLOW, f"--use-file-for-fake-video-capture={source}")
    page = open_camera(browser, live_server.url).page
    start(page)
    expect(page.locator("[data-text]")).to_have_text("2")
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("[data-still]")).to_be_visible()

    page.get_by_role("button", name="Film again").click()

    expect(page.locator("[data-still]")).to_be_hidden()
    expect(page.get_by_role("button", name="Keep")).to_be_disabled()
    with page.expect_response("**/live/") as answered:
        pass
    assert answered.value.json()["text"] == "2"


def test_never_more_than_one_picture_is_on_its_way(
    launch: Launch, live_server: LiveServer, digit_model: TrainedModel, tmp_path: Path
) -> None:
    source = film(tmp_path / "six.y4m", 6)
    browser = launch(CAMERA, ALLOW, f"--use-file-for-fake-video-capture={source}")
    page = open_camera(browser, live_server.url).page
    on_their_way: list[Request] = []
    most = []

    def sent(request: Request) -> None:
        on_their_way.append(request)
        most.append(len(on_their_way))

    page.wait_for_load_state("networkidle")
    page.on("request", sent)
    page.on("requestfinished", lambda request: on_their_way.remove(request))
    start(page)
    for _ in range(4):
        page.wait_for_event("requestfinished")

    assert max(most) == 1


def test_a_refused_permission_is_said_and_the_upload_offered(
    launch: Launch, live_server: LiveServer, digit_model: TrainedModel
) -> None:
    visit = open_camera(launch(CAMERA), live_server.url)  # nobody says yes

    start(visit.page)

    expect(visit.page.get_by_role("alert").first).to_have_text(re.compile("may not use the camera"))
    expect(visit.page.get_by_role("link", name="upload a picture")).to_be_visible()
    expect(visit.page.get_by_role("button", name="Start the camera")).to_be_enabled()
    assert visit.violations() == []
    assert visit.complaints == []


def test_a_missing_camera_is_said_and_the_upload_offered(
    launch: Launch, live_server: LiveServer, digit_model: TrainedModel
) -> None:
    visit = open_camera(launch(ALLOW), live_server.url)

    start(visit.page)

    expect(visit.page.get_by_role("alert").first).to_have_text(re.compile("No camera was found"))
    expect(visit.page.get_by_role("link", name="upload a picture")).to_be_visible()
    assert visit.complaints == []


def test_an_address_without_https_is_said_to_be_the_reason(
    launch: Launch, live_server: LiveServer, digit_model: TrainedModel, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["digits.test", *settings.ALLOWED_HOSTS]
    browser = launch(CAMERA, ALLOW, "--host-resolver-rules=MAP digits.test 127.0.0.1")
    site = f"http://digits.test:{live_server.url.rpartition(':')[2]}"
    page = open_camera(browser, site).page

    start(page)

    expect(page.get_by_role("alert").first).to_have_text(re.compile("starts with https"))
    expect(page.get_by_role("link", name="upload a picture")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_phone_takes_one_picture(
    scripts: bool,
    launch: Launch,
    live_server: LiveServer,
    digit_model: TrainedModel,
    drawn: Callable[..., bytes],
) -> None:
    options = {"viewport": {"width": 390, "height": 844}, "java_script_enabled": scripts}
    page = open_camera(launch(), live_server.url, **options).page
    taken = page.get_by_label("On a phone, this opens its camera.")
    assert taken.get_attribute("capture") == "environment"

    taken.set_input_files({"name": "IMG_0001.png", "mimeType": "image/png", "buffer": drawn(9)})
    page.get_by_role("button", name="Recognise").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("The picture shows 9")
    assert Prediction.objects.get().source == "camera"
