"""Programs to copy, which the page and docs/api.md show and a test runs, and what they get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SITE = "https://digits.example.org"
PICTURE = (  # a 7, so that the examples can be sent as they are
    "iVBORw0KGgoAAAANSUhEUgAAABQAAAAUCAAAAACo4kLRAAAATElEQVQYGW3BwRHAMAgEse2/6Q1nwJOHJXzAB/zDA4PL"
    "wOAyMLgMPFgGXhQPXIQHLooNB2HDQXHgoDiwEQ5sFBc2igsbxYUDvPABHz7NdTnV1bTC5QAAAABJRU5ErkJggg=="
)
_ID = "0b7c1a52-4c8e-4a60-9a57-1f0f8e5d2c11"
PREDICTION: dict[str, Any] = {
    "id": _ID,
    "created_at": "2026-03-01T09:30:00Z",
    "source": "api",
    "script": "latin",
    "text": "7",
    "confidence": 0.999171,
    "verdict": "accepted",
    "reason": None,
    "explanation": None,
    "digits": [
        {
            "label": "7",
            "probabilities": [
                0.000152,
                0.00013,
                3.3e-05,
                7e-05,
                7.6e-05,
                5.3e-05,
                8.4e-05,
                0.999171,
                6.7e-05,
                0.000124,
            ],
            "box": [5, 2, 10, 16],
        }
    ],
    "model": "latin-5",
    "duration_ms": 1.9,
    "picture": {
        "url": f"/api/v1/predictions/{_ID}/picture",
        "width": 20,
        "height": 20,
        "sha256": "cddb06450c3b2fa814a824f8171719dd9bc88386cb03b27e500c807be18470ad",
    },
    "true_text": None,
    "reviewed_at": None,
    "is_right": None,
}


@dataclass(frozen=True)
class Example:
    title: str
    language: str  # sh or python
    code: str

    def on(self, site: str) -> str:
        return self.code.replace(SITE, site)


EXAMPLES = (
    Example(
        "Read one picture, with nothing but curl",
        "sh",
        f"curl -F file=@seven.png {SITE}/predict",
    ),
    Example(
        "Read one picture and keep it as yours",
        "sh",
        f'curl -H "Authorization: Bearer $DIGITS_KEY" -F picture=@seven.png '
        f"{SITE}/api/v1/predictions",
    ),
    Example(
        "Read many pictures",
        "sh",
        f'curl -H "Authorization: Bearer $DIGITS_KEY" -F pictures=@seven.png '
        f"-F pictures=@four.png {SITE}/api/v1/predictions/batch",
    ),
    Example(
        "List what a person should look at",
        "sh",
        f'curl -H "Authorization: Bearer $DIGITS_KEY" '
        f'"{SITE}/api/v1/predictions?verdict=unsure&reviewed=false"',
    ),
    Example(
        "The same in Python, with its standard library only",
        "python",
        f'''\
import base64
import json
import os
import urllib.request
from pathlib import Path

SITE = "{SITE}"
KEY = os.environ["DIGITS_KEY"]


def call(method, path, body=None):
    request = urllib.request.Request(SITE + path, method=method)
    request.add_header("Authorization", "Bearer " + KEY)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read() or "null")


# Read a picture.
picture = base64.b64encode(Path("seven.png").read_bytes()).decode()
prediction = call("POST", "/api/v1/predictions", {{"picture": picture}})
print(prediction["text"], prediction["confidence"], prediction["verdict"])

# Somebody looked at it: it is a 1.
address = "/api/v1/predictions/" + prediction["id"]
call("PATCH", address, {{"true_text": "1"}})

# Everything that was read wrong, page by page.
query = "right=false"
while query:
    page = call("GET", "/api/v1/predictions?" + query)
    for item in page["items"]:
        print(item["id"], "read as", item["text"], "and is", item["true_text"])
    query = page["next"] and "right=false&cursor=" + page["next"]

# Delete it, and its picture.
call("DELETE", address)''',
    ),
)
