"""The page about the API, and its examples as a reader runs them."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from ml import images
from recognition import intake
from recognition.api.endpoints import api
from recognition.api.examples import EXAMPLES
from recognition.models import ApiKey, Prediction, TrainedModel
from tests.conftest import ROOT

DOCUMENT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
CODE = re.compile(r'<code data-example="(\w+)">(.*?)</code>', re.DOTALL)
EXPECTED = {  # by a part of the title: what the output has
    "nothing but curl": '"prediction": 7',
    "keep it as yours": '"text": "7"',
    "many pictures": '"name": "four.png"',
    "should look at": '"items": []',
    "in Python": "read as 7 and is 1",
}


@pytest.fixture
def page(client: Client, db: None) -> str:
    return client.get("/api/").text


def test_the_page_lists_every_operation(page: str) -> None:
    for path, operations in api.get_openapi_schema()["paths"].items():
        assert f"<code>{path}</code>" in page
        for details in operations.values():
            assert details["summary"] in html.unescape(page)
            for parameter in details["parameters"]:
                assert f"<code>{parameter['name']}</code>" in page


def test_the_page_shows_the_examples_with_its_own_address(page: str) -> None:
    shown = [(language, html.unescape(code)) for language, code in CODE.findall(page)]

    assert shown == [(found.language, found.on("http://testserver")) for found in EXAMPLES]


def test_the_page_says_the_limits_of_this_site(client: Client, settings: Settings) -> None:
    settings.API_LIMIT_PER_KEY, settings.API_LIMIT_PER_ADDRESS = 1234, 0

    text = re.sub(r"\s+", " ", client.get("/api/").text)

    assert re.search(r"1.?234 requests a minute", text)
    assert "from one network address" not in text


def test_the_page_says_what_is_kept_without_a_key(client: Client, settings: Settings) -> None:
    settings.REQUIRE_SIGN_IN_TO_KEEP = True

    assert "is not stored, and <code>id</code> is null" in client.get("/api/").text


def test_every_page_leads_to_it(client: Client, db: None) -> None:
    assert 'href="/api/"' in client.get("/").text


@pytest.mark.parametrize(
    "error",
    [
        "400 No file uploaded",
        "400 No selected file",
        "400 Could not process image",
        "401 API key not valid",
        "401 API key needed",
        "403 CSRF token missing or wrong",
        "405 Method not allowed",
        "429 Too many requests",
        "503 No model can be used at the moment",
    ],
)
def test_page_and_document_name_every_error_of_predict(page: str, error: str) -> None:
    status, _, text = error.partition(" ")

    assert f"<dt>{error}</dt>" in page
    assert f"| {status} | `{text}` |" in DOCUMENT


def test_page_and_document_say_alike_why_a_key_is_not_valid(page: str) -> None:
    why = "the key is unknown or revoked, or its account is not active"

    assert f"<dd>{why.capitalize()}.</dd>" in page
    assert f"| `API key not valid` | {why} |" in DOCUMENT


def test_the_document_names_every_code() -> None:
    views = (ROOT / "recognition" / "api").glob("*.py")
    places = [ROOT / "ml" / "images.py", ROOT / "recognition" / "intake.py", *views]
    sources = "".join(path.read_text(encoding="utf-8") for path in places)

    codes = set(re.findall(r'(?:PictureError\(\s*|code=)"(\w+)"', sources))

    assert {"empty", "not_stored", "bad_request"} <= codes
    assert {code for code in codes if f"`{code}`" not in DOCUMENT} == set()


def test_the_document_has_the_same_examples() -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)\n```$", DOCUMENT, re.MULTILINE | re.DOTALL)

    assert blocks == [(found.language, found.code) for found in EXAMPLES]


def test_the_document_names_every_operation() -> None:
    for path, operations in api.get_openapi_schema()["paths"].items():
        short = path.removeprefix("/api/v1").replace("{id}", "<id>")
        for method in operations:
            assert f"| `{method.upper()} {short}` |" in DOCUMENT


def test_the_document_says_the_limits_that_hold(tmp_path: Path) -> None:
    program = "import digitsite.settings as s; print(s.API_LIMIT_PER_KEY, s.API_LIMIT_PER_ADDRESS)"
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "only for this test",
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
    }
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    per_key, per_address = result.stdout.split()

    assert f"With a key: {per_key} requests" in DOCUMENT
    assert f"Without: {per_address} a minute" in DOCUMENT
    assert f"JSON: {intake.MAX_JSON_BYTES // 10**6} MB" in DOCUMENT
    assert f"{intake.MAX_FORM_BYTES // 10**6} MB and {intake.MAX_PICTURES} pictures" in DOCUMENT
    assert f"{images.MAX_BYTES // 10**6} MB and {images.MAX_PIXELS // 10**6} million" in DOCUMENT


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_does_what_it_says(
    number: int,
    live_server: LiveServer,
    digit_model: TrainedModel,
    api_key: ApiKey,
    drawn: Callable[..., bytes],
    tmp_path: Path,
) -> None:
    example = EXAMPLES[number]
    (expected,) = (text for title, text in EXPECTED.items() if title in example.title)
    (tmp_path / "seven.png").write_bytes(drawn(7))
    (tmp_path / "four.png").write_bytes(drawn(4))
    command = [sys.executable, "-c"] if example.language == "python" else ["bash", "-euc"]

    result = subprocess.run(
        [*command, example.on(live_server.url)],
        cwd=tmp_path,
        env={**os.environ, "DIGITS_KEY": api_key.token},
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stderr
    assert expected in result.stdout
    is_kept = "keep it" in example.title
    assert Prediction.objects.filter(owner=api_key.owner).count() == is_kept + 2 * (
        "many" in example.title
    )
