"""Programs to copy. The page and docs/api.md show the same ones, and a test runs them."""

from __future__ import annotations

from dataclasses import dataclass

SITE = "https://digits.example.org"


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
