"""A person uploads a digit in a real browser, on a phone and on a desk, by day and by night."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from recognition.models import Prediction, TrainedModel
from tests.browser.visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Drawn = Callable[..., bytes]

DROP_OR_PASTE = """([type, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "digit.png", { type: "image/png" }));
    const event = type === "paste"
        ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true })
        : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
}"""


def test_a_person_uploads_a_digit_and_finds_it_again(visit: Visit, drawn: Drawn) -> None:
    page = visit.page
    visit.go("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Read a handwritten digit")
    form_violations = visit.violations()

    visit.choose(drawn(7))
    preview = page.get_by_alt_text("Preview of the chosen picture")
    expect(preview).to_be_visible()
    box = preview.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (200, 200)

    visit.recognise()
    expect(page.get_by_role("heading", level=1)).to_have_text("The picture shows 7")
    expect(page.locator("[data-confidence]")).to_have_text(re.compile(r"\d\d\.\d\d%"))
    expect(page.get_by_role("meter")).to_have_count(10)
    page.wait_for_load_state("networkidle")
    result_violations = visit.violations()

    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("listitem")).to_have_count(1)
    history_violations = visit.violations()

    page.get_by_role("link", name="Model", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("About the model")
    model_violations = visit.violations()

    assert form_violations + result_violations + history_violations + model_violations == []
    assert visit.complaints == []
    assert visit.foreign == []


def test_no_page_is_wider_than_the_screen(visit: Visit, drawn: Drawn) -> None:
    visit.go("/")
    visit.choose(drawn(2, size=(1400, 500)))
    too_wide = {"form": visit.is_too_wide()}
    visit.recognise()
    visit.page.wait_for_url("**/p/**")
    too_wide["result"] = visit.is_too_wide()
    for name in ("history", "model"):
        visit.go(f"/{name}/")
        too_wide[name] = visit.is_too_wide()

    assert not any(too_wide.values()), too_wide


def test_the_frame_lies_on_the_picture(visit: Visit, drawn: Drawn) -> None:
    visit.go("/")
    visit.choose(drawn(7, size=(800, 400), box=(500, 100, 140, 200)))
    visit.recognise()
    visit.page.wait_for_url("**/p/**")
    visit.page.wait_for_load_state("networkidle")

    picture = visit.page.get_by_alt_text("The picture that was sent").bounding_box()
    frame = visit.page.locator("rect.box").bounding_box()

    assert picture is not None
    assert frame is not None
    scale = picture["width"] / 800
    assert frame["x"] - picture["x"] == pytest.approx(500 * scale, abs=40 * scale)
    assert frame["y"] - picture["y"] == pytest.approx(100 * scale, abs=40 * scale)
    assert frame["height"] == pytest.approx(210 * scale, abs=40 * scale)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_can_be_dropped_and_pasted(way: str, desk: Visit, drawn: Drawn) -> None:
    desk.go("/")

    desk.page.evaluate(DROP_OR_PASTE, [way, base64.b64encode(drawn(3)).decode()])

    expect(desk.page.get_by_alt_text("Preview of the chosen picture")).to_be_visible()
    desk.recognise()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("The picture shows 3")
    assert desk.complaints == []


def test_no_file_shows_the_error_where_it_belongs(visit: Visit, drawn: Drawn) -> None:
    visit.go("/")
    visit.recognise()

    expect(visit.page.get_by_role("alert")).to_have_text("Please select an image file.")
    expect(visit.page.get_by_label("Choose a picture")).to_be_focused()
    assert visit.violations() == []

    visit.choose(drawn(1))
    expect(visit.page.get_by_role("alert")).to_be_hidden()


def test_a_blank_picture_is_refused_with_advice(visit: Visit, drawn: Drawn) -> None:
    visit.go("/")
    visit.choose(drawn(1, ink=245))
    visit.recognise()

    expect(visit.page.get_by_text("There is nothing written in this picture.")).to_be_visible()
    assert visit.violations() == []


def test_the_form_works_without_javascript(
    browser: Browser, live_server: LiveServer, digit_model: TrainedModel, drawn: Drawn
) -> None:
    context = browser.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), live_server.url)
    visit.go("/")
    visit.choose(drawn(4))

    visit.recognise()

    expect(visit.page.get_by_role("heading", level=1)).to_have_text("The picture shows 4")
    context.close()


def test_a_person_deletes_a_record(desk: Visit, drawn: Drawn) -> None:
    desk.go("/")
    desk.choose(drawn(6))
    desk.recognise()

    desk.page.get_by_text("Delete this record").click()
    desk.page.get_by_role("button", name="Delete both").click()

    expect(desk.page.get_by_text("Nothing yet")).to_be_visible()
    assert not Prediction.objects.exists()


def test_going_back_lets_the_form_be_sent_again(desk: Visit, drawn: Drawn) -> None:
    desk.go("/")
    desk.choose(drawn(8))
    desk.recognise()
    desk.page.wait_for_url("**/p/**")

    desk.page.go_back()

    expect(desk.page.get_by_role("button", name="Recognise")).to_be_enabled()
