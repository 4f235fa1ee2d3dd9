"""How long a person who draws waits for the answer, in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, sync_playwright

from fixtures.drawing import STROKES
from tests.benchmarks.result import Result, percentile
from tests.benchmarks.site import serving
from tests.browser.conftest import QUIET, chromium
from tests.browser.pens import draw

ROUNDS = 15
DIGITS = [digit for digit, strokes in enumerate(STROKES) if len(strokes) == 1]
WATCH = """() => {
    let lifted = 0;
    window.waits = [];
    const read = document.querySelector("[data-confidence]");
    document.querySelector("[data-paper]").addEventListener(
        "pointerup", () => { lifted = performance.now(); }, { capture: true });
    new MutationObserver(() => {
        if (!lifted || read.textContent.trim() === "-") return;
        const since = lifted;
        lifted = 0;
        requestAnimationFrame(() => window.waits.push(performance.now() - since));
    }).observe(read, { childList: true, characterData: true, subtree: true });
}"""


def lifted() -> list[Result]:
    with serving() as (port, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/draw/")
        page.wait_for_timeout(500)  # until it is painted, or the first stroke is lost
        page.evaluate(WATCH)
        for _ in range(ROUNDS):
            for digit in DIGITS:
                _draw_and_wait(page, digit)
        waits = page.evaluate("window.waits")
        browser.close()
    return [
        Result(
            "Drawing: from lifting the pen to the answer on the screen",
            f"p50 {percentile(waits, 50):.0f} ms, p99 {percentile(waits, 99):.0f} ms",
            "100 ms",
            f"{len(waits)} digits drawn in Chromium, site and browser on the same machine",
        )
    ]


def _draw_and_wait(page: Page, digit: int) -> None:
    seen = page.evaluate("window.waits.length")
    draw(page, digit)
    page.wait_for_function("(seen) => window.waits.length > seen", arg=seen)
    page.locator("[data-clear]").click()
