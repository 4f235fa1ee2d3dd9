"""A person draws a digit and sees the answer when the pen is lifted."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from recognition.models import Prediction, TrainedModel
from tests.browser import pens
from tests.browser.visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Visit]

SIZES = {"phone": (390, 844), "desk": (1280, 800)}
# Chromium drops what a hand does before the page was painted.
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture
def open_page(
    browser: Browser, live_server: LiveServer, digit_model: TrainedModel
) -> Iterator[Open]:
    contexts = []

    def open_page(path: str = "/draw/", size: str = "desk", **options: Any) -> Visit:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, has_touch=size == "phone", **options
        )
        contexts.append(context)
        visit = Visit(context.new_page(), live_server.url)
        visit.go(path)
        if options.get("java_script_enabled", True):
            visit.page.evaluate(PAINTED)
        return visit

    yield open_page
    for context in contexts:
        context.close()


def digit_of(page: Page) -> Any:
    return expect(page.locator("[data-text]"))


def asked(page: Page) -> list[str]:
    """Grows with each picture that is sent."""
    addresses: list[str] = []
    page.on("request", lambda it: addresses.append(it.url) if it.method == "POST" else None)
    return addresses


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_drawn_3_is_read_and_can_be_kept(size: str, scheme: str, open_page: Open) -> None:
    visit = open_page(size=size, color_scheme=scheme)
    page = visit.page
    digit_of(page).to_have_text("-")
    expect(page.locator("[data-confidence]")).to_have_text("-")
    expect(page.get_by_role("button", name="Keep")).to_be_disabled()
    violations = visit.violations()

    pens.draw(page, 3)

    digit_of(page).to_have_text("3")
    expect(page.locator("[data-confidence]")).to_have_text(re.compile(r"\d\d\.\d\d%"))
    expect(page.get_by_role("meter")).to_have_count(10)
    assert float(page.get_by_role("meter", name="3").get_attribute("value") or 0) > 0.5
    assert not Prediction.objects.exists()
    violations += visit.violations()

    page.get_by_role("button", name="Keep").click()

    expect(page.get_by_text("Kept.")).to_be_visible()
    prediction = Prediction.objects.get()
    assert (prediction.text, prediction.source) == ("3", "draw")
    assert (prediction.picture_width, prediction.picture_height) == (280, 280)
    assert prediction.reviewed_at is None
    violations += visit.violations()
    assert not visit.is_too_wide()

    page.get_by_role("link", name="See what was kept").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The picture shows 3")
    violations += visit.violations()
    assert not visit.is_too_wide()
    assert violations == []
    assert visit.complaints == []
    assert visit.foreign == []


def test_an_8_is_drawn_with_a_finger_and_the_page_stays_where_it_is(open_page: Open) -> None:
    page = open_page(size="phone").page

    pens.draw_with_a_finger(page, 8)

    digit_of(page).to_have_text("8")
    assert page.evaluate("scrollY") == 0


def test_the_paper_does_not_move_while_answers_come(open_page: Open) -> None:
    page = open_page(size="phone").page
    before = page.locator("[data-paper]").bounding_box()
    for points in pens.strokes(page, 4):
        with page.expect_response("**/live/"):
            pens.draw_line(page, points)
        expect(page.locator("[data-text]")).not_to_have_text("")
        assert page.locator("[data-paper]").bounding_box() == before


@pytest.mark.parametrize("size", SIZES)
def test_a_tap_makes_a_dot_as_wide_as_the_pen(size: str, open_page: Open) -> None:
    page = open_page(size=size).page
    page.get_by_label("Pen width").fill("30")

    if size == "phone":
        page.touchscreen.tap(*pens.place(page, 0.5, 0.5))
    else:
        page.mouse.click(*pens.place(page, 0.5, 0.5))

    expect(page.get_by_role("button", name="Keep")).to_be_enabled()
    assert pens.ink(page) == pytest.approx(math.pi * 15**2, rel=0.15)


def test_a_wider_pen_leaves_more_ink(open_page: Open) -> None:
    page = open_page().page
    line = [pens.place(page, 0.5, y) for y in (0.2, 0.5, 0.8)]
    amounts = []
    for width in ("6", "36"):
        page.get_by_label("Pen width").fill(width)
        pens.draw_line(page, line)
        amounts.append(pens.ink(page))
        page.get_by_role("button", name="Clear").click()

    assert amounts[0] == pytest.approx(240 * 6, rel=0.2)
    assert amounts[1] == pytest.approx(240 * 36 + math.pi * 18**2, rel=0.1)


def test_what_was_drawn_can_be_undone_and_done_again(open_page: Open) -> None:
    page = open_page().page
    pens.draw(page, 3)
    digit_of(page).to_have_text("3")
    drawn = pens.ink(page)
    undo, redo = (page.get_by_role("button", name=name) for name in ("Undo", "Redo"))

    undo.click()
    assert 0 < pens.ink(page) < drawn
    undo.click()
    assert pens.ink(page) == 0
    digit_of(page).to_have_text("-")
    expect(undo).to_have_attribute("aria-disabled", "true")

    redo.click()
    redo.click()
    assert pens.ink(page) == drawn
    digit_of(page).to_have_text("3")


def test_clearing_the_paper_can_be_undone(open_page: Open) -> None:
    page = open_page().page
    pens.draw(page, 7)
    digit_of(page).to_have_text("7")

    page.get_by_role("button", name="Clear").click()
    assert pens.ink(page) == 0
    digit_of(page).to_have_text("-")
    expect(page.locator("[data-confidence]")).to_have_text("-")

    page.keyboard.press("Control+z")
    digit_of(page).to_have_text("7")
    page.keyboard.press("Control+y")
    digit_of(page).to_have_text("-")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    digit_of(page).to_have_text("-")


def test_what_is_erased_is_gone(open_page: Open) -> None:
    page = open_page().page
    pens.draw_line(page, [pens.place(page, 0.5, 0.3), pens.place(page, 0.5, 0.7)])
    page.get_by_label("Pen width").fill("40")
    page.get_by_role("button", name="Eraser").click()

    pens.draw_line(page, [pens.place(page, 0.5, 0.2), pens.place(page, 0.5, 0.8)])

    assert pens.ink(page) == 0
    digit_of(page).to_have_text("-")


def test_an_empty_paper_asks_the_server_nothing(open_page: Open) -> None:
    page = open_page().page
    addresses = asked(page)

    page.get_by_role("button", name="Recognise").click()

    expect(page.locator("[data-what]")).to_have_text("Draw a digit first.")
    digit_of(page).to_have_text("-")
    assert addresses == []


def test_paper_is_white_by_night_and_sharp_on_a_good_screen(open_page: Open) -> None:
    page = open_page(size="phone", color_scheme="dark", device_scale_factor=3).page
    pens.draw(page, 1)

    corner, width, shown = page.locator("[data-paper]").evaluate(
        """(paper) => [
            [...paper.getContext("2d").getImageData(0, 0, 1, 1).data],
            paper.width,
            paper.clientWidth,
        ]"""
    )

    assert corner == [255, 255, 255, 255]
    assert width == 3 * shown


def test_an_answer_that_was_overtaken_is_dropped(open_page: Open) -> None:
    page = open_page().page
    held: list[Route] = []
    failed = []
    page.on("requestfailed", lambda request: failed.append(request.url))

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/live/", hold_the_first)

    pens.draw(page, 3)  # two strokes, two pictures

    digit_of(page).to_have_text("3")
    assert len(held) == 1
    assert len(failed) == 1


def test_an_older_answer_does_not_pass_for_one_to_a_new_stroke(open_page: Open) -> None:
    page = open_page().page
    live = page.locator("[data-live]")
    pens.draw(page, 1)
    digit_of(page).to_have_text("1")
    held: list[Route] = []
    page.route("**/live/", lambda route: held.append(route))

    pens.draw_line(page, [pens.place(page, x, 0.5) for x in (0.3, 0.4, 0.7)])

    expect(page.get_by_text("Reading…")).to_be_visible()
    expect(live).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    expect(page.get_by_text("Reading…")).to_be_hidden()
    expect(live).not_to_have_attribute("aria-busy", "true")


def test_a_lost_connection_is_said_and_the_button_tries_again(open_page: Open) -> None:
    page = open_page().page
    page.route("**/live/", lambda route: route.abort())
    pens.draw(page, 7)
    expect(page.get_by_role("alert")).to_have_text(re.compile("Check the connection"))
    digit_of(page).to_have_text("-")

    page.unroute("**/live/")
    page.get_by_role("button", name="Recognise").click()

    digit_of(page).to_have_text("7")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_site_without_a_model_says_so(open_page: Open) -> None:
    page = open_page().page
    TrainedModel.objects.update(active_for=None)

    pens.draw(page, 7)

    expect(page.get_by_role("alert")).to_have_text(re.compile("try again later"))


def test_one_key_keeps_and_corrects_and_another_changes_it(open_page: Open) -> None:
    visit = open_page()
    page = visit.page
    pens.draw(page, 3)
    digit_of(page).to_have_text("3")

    page.keyboard.press("8")
    expect(page.get_by_text("Kept. No, it is 8.")).to_be_visible()
    page.keyboard.press("3")
    expect(page.get_by_text("Kept. Right, it is 3.")).to_be_visible()
    expect(page.get_by_role("button", name="3", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="No digit").click()
    expect(page.get_by_text("Kept. No, it shows no digit.")).to_be_visible()

    prediction = Prediction.objects.get()
    assert (prediction.true_text, prediction.is_right) == ("", False)
    assert visit.complaints == []


def keep_a_three(open_page: Open) -> Page:
    page = open_page().page
    pens.draw(page, 3)
    digit_of(page).to_have_text("3")
    page.keyboard.press("3")
    expect(page.get_by_text("Kept. Right, it is 3.")).to_be_visible()
    return page


def test_a_drawing_that_was_corrected_meanwhile_shows_how(open_page: Open) -> None:
    page = keep_a_three(open_page)
    Prediction.objects.get().review("8", by=None)

    page.keyboard.press("4")

    expect(page.get_by_text("Kept. No, it is 8.")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Answer again to change it")
    page.keyboard.press("4")
    expect(page.get_by_text("Kept. No, it is 4.")).to_be_visible()


def test_a_new_stroke_is_a_new_picture_to_keep(open_page: Open) -> None:
    page = keep_a_three(open_page)

    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Kept.")).to_be_hidden()
    pens.draw(page, 7)
    digit_of(page).to_have_text("7")
    page.get_by_role("button", name="Keep").click()

    expect(page.get_by_text("Kept.")).to_be_visible()
    assert sorted(Prediction.objects.values_list("text", "true_text")) == [("3", "3"), ("7", "")]


def test_a_drawing_is_kept_once(open_page: Open) -> None:
    page = keep_a_three(open_page)

    page.get_by_role("button", name="Recognise").click()
    page.keyboard.press("8")

    expect(page.get_by_text("Kept. No, it is 8.")).to_be_visible()
    assert Prediction.objects.get().true_text == "8"


def test_a_drawing_whose_record_was_deleted_elsewhere_can_be_kept_again(open_page: Open) -> None:
    page = keep_a_three(open_page)
    Prediction.objects.all().delete()

    page.keyboard.press("8")
    expect(page.get_by_text("What was kept is not there any more.")).to_be_visible()
    expect(page.get_by_text("Kept.")).to_be_hidden()
    page.keyboard.press("8")

    expect(page.get_by_text("Kept. No, it is 8.")).to_be_visible()
    expect(page.get_by_text("What was kept is not there any more.")).to_be_hidden()
    assert Prediction.objects.get().true_text == "8"


def test_a_drawing_that_was_undone_and_done_again_is_kept_once(open_page: Open) -> None:
    page = keep_a_three(open_page)

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Kept.")).to_be_hidden()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Kept.")).to_be_visible()
    page.get_by_role("button", name="Redo").click()
    expect(page.get_by_text("Kept. Right, it is 3.")).to_be_visible()
    page.keyboard.press("8")

    expect(page.get_by_text("Kept. No, it is 8.")).to_be_visible()
    kept = Prediction.objects.order_by("pk")
    assert [prediction.true_text for prediction in kept] == ["8", ""]


def test_a_second_finger_draws_nothing(open_page: Open) -> None:
    page = open_page(size="phone").page
    session = page.context.new_cdp_session(page)
    fingers = [
        {"x": x, "y": y, "id": n}
        for n, (x, y) in enumerate([pens.place(page, 0.3, 0.5), pens.place(page, 0.7, 0.5)])
    ]
    for kind, touches in (("touchStart", fingers[:1]), ("touchStart", fingers), ("touchEnd", [])):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    expect(page.get_by_role("button", name="Keep")).to_be_enabled()
    assert pens.ink(page) == pytest.approx(math.pi * 9**2, rel=0.2)


def test_a_tap_right_after_a_quick_stroke_counts(open_page: Open) -> None:
    page = open_page(size="phone").page
    undo = page.get_by_role("button", name="Undo")

    for _ in range(3):
        pens.touch(page, [pens.place(page, 0.5, 0.25), pens.place(page, 0.5, 0.75)])
        expect(undo).to_have_attribute("aria-disabled", "false")
        undo.tap()
        expect(undo).to_have_attribute("aria-disabled", "true")


def test_a_pen_draws_though_the_palm_came_first(open_page: Open) -> None:
    page = open_page().page
    page.locator("[data-paper]").evaluate(
        """(paper) => {
            const { left, top } = paper.getBoundingClientRect();
            const at = (type, pointerType, pointerId, x) => paper.dispatchEvent(
                new PointerEvent(type, {
                    pointerType, pointerId, clientX: left + x, clientY: top + 100,
                    isPrimary: true, bubbles: true, cancelable: true,
                }));
            at("pointerdown", "touch", 1, 20);
            at("pointerdown", "pen", 2, 100);
            at("pointermove", "pen", 2, 200);
            at("pointerup", "pen", 2, 200);
            at("pointerup", "touch", 1, 20);
        }"""
    )

    width = page.locator("[data-paper]").evaluate("(paper) => paper.clientWidth")
    line = 100 * (400 / width) * 18 + math.pi * 9**2
    assert pens.ink(page) == pytest.approx(line, rel=0.1)


def test_a_drawing_that_is_not_kept_yet_comes_back(open_page: Open) -> None:
    page = open_page().page
    pens.draw(page, 7)
    digit_of(page).to_have_text("7")
    drawn = pens.ink(page)

    page.get_by_role("link", name="Model").click()
    page.go_back()
    digit_of(page).to_have_text("7")
    assert pens.ink(page) == pytest.approx(drawn, rel=0.01)

    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Kept.")).to_be_visible()
    page.reload()
    digit_of(page).to_have_text("-")
    assert pens.ink(page) == 0


def test_a_drawing_waits_while_its_person_signs_in_and_is_not_shown_to_another(
    open_page: Open, settings: Settings
) -> None:
    User.objects.create_user("teacher", password="chalk-and-board")
    settings.REQUIRE_SIGN_IN_TO_KEEP = True
    page = open_page().page
    pens.draw(page, 3)
    digit_of(page).to_have_text("3")

    page.get_by_role("link", name="Sign in").last.click()
    page.get_by_label("Name").fill("teacher")
    page.get_by_label("Password").fill("chalk-and-board")
    page.get_by_role("button", name="Sign in").click()
    digit_of(page).to_have_text("3")

    page.context.clear_cookies()  # signed out
    page.reload()
    digit_of(page).to_have_text("-")


def test_the_keys_can_be_switched_off_for_good(open_page: Open) -> None:
    page = open_page().page
    pens.draw(page, 3)
    digit_of(page).to_have_text("3")
    page.get_by_label("The keys 0 to 9 answer, too").uncheck()

    page.keyboard.press("3")

    expect(page.get_by_text("Nothing is stored until you keep it.").last).to_be_visible()
    page.reload()
    expect(page.get_by_label("The keys 0 to 9 answer, too")).not_to_be_checked()
    assert not Prediction.objects.exists()


def test_without_javascript_the_page_leads_to_the_upload(open_page: Open) -> None:
    page = open_page(java_script_enabled=False).page

    expect(page.locator("[data-paper]")).to_be_hidden()
    expect(page.get_by_text("Drawing needs JavaScript")).to_be_visible()
    page.get_by_role("link", name="upload a picture").click()
    expect(page.get_by_role("button", name="Recognise")).to_be_visible()


def read_a_five(open_page: Open, drawn: Callable[..., bytes], **options: bool) -> Visit:
    """The page of an answer."""
    visit = open_page("/", **options)
    visit.choose(drawn(5))
    visit.recognise()
    return visit


@pytest.mark.parametrize("scripts", [True, False])
def test_the_result_is_corrected_with_a_tap(
    scripts: bool, open_page: Open, drawn: Callable[..., bytes]
) -> None:
    visit = read_a_five(open_page, drawn, java_script_enabled=scripts)
    page = visit.page

    page.get_by_role("button", name="6", exact=True).click()

    expect(page.locator("[data-said]")).to_have_text("No, it is 6.")
    assert Prediction.objects.get().true_text == "6"
    if scripts:
        page.keyboard.press("5")
        expect(page.locator("[data-said]")).to_have_text("Right, it is 5.")
        assert Prediction.objects.get().true_text == "5"
    assert visit.complaints == []


def test_a_correction_from_a_page_left_open_is_shown_what_was_said_since(
    open_page: Open, drawn: Callable[..., bytes]
) -> None:
    page = read_a_five(open_page, drawn).page
    prediction = Prediction.objects.get()
    prediction.review("8", by=None)

    page.get_by_role("button", name="6", exact=True).click()

    expect(page.locator("[data-said]")).to_have_text("No, it is 8.")
    expect(page.get_by_role("button", name="8", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.get_by_role("alert")).to_contain_text("Answer again to change it")
    page.get_by_role("button", name="6", exact=True).click()
    expect(page.locator("[data-said]")).to_have_text("No, it is 6.")
    expect(page.locator("[data-correct-error]")).to_be_empty()


def test_keys_that_are_switched_off_correct_no_result(
    open_page: Open, drawn: Callable[..., bytes]
) -> None:
    page = read_a_five(open_page, drawn).page
    page.get_by_label("The keys 0 to 9 answer, too").uncheck()

    page.keyboard.press("3")
    page.get_by_role("button", name="6", exact=True).click()
    expect(page.locator("[data-said]")).to_have_text("No, it is 6.")
    page.keyboard.press("4")
    page.reload()

    assert Prediction.objects.get().true_text == "6"
