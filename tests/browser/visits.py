"""A page as somebody looks at it, and everything that must not happen meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Page, Request

if TYPE_CHECKING:
    from django.test import Client

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"


class Visit:
    """A page, and everything that must not happen while somebody looks at it."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.site = page, site
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if not request.url.startswith((f"{self.site}/", "blob:", "data:")):
            self.foreign.append(request.url)

    def take_session(self, client: Client) -> None:
        """Be the person who is signed in there."""
        session = client.cookies["sessionid"].value
        self.page.context.add_cookies([{"name": "sessionid", "value": session, "url": self.site}])

    def go(self, path: str) -> None:
        self.page.goto(self.site + path)

    def choose(self, data: bytes) -> None:
        file = {"name": "digit.png", "mimeType": "image/png", "buffer": data}
        self.page.get_by_label("Choose a picture").set_input_files(file)  # type: ignore[arg-type]

    def recognise(self) -> None:
        self.page.get_by_role("button", name="Recognise").click()

    def violations(self) -> list[str]:
        """Serious and critical violations of WCAG 2.2 AA on the page that is shown."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = self.page.evaluate(
            "axe.run({resultTypes: ['violations']}).then((result) => result.violations)"
        )
        return [
            f"{self.page.url} {entry['id']}: {entry['nodes'][0]['html']}"
            for entry in found
            if entry["impact"] in {"serious", "critical"}
        ]

    def is_too_wide(self) -> bool:
        wider: bool = self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wider
