"""Upload a drawn digit to a running site the way a browser does, and look at the answer."""

from __future__ import annotations

import http.cookiejar
import io
import re
import sys
import urllib.request
import uuid

from PIL import Image

from fixtures import drawing

DIGIT = 7


def main(site: str) -> None:
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(site).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    if token is None:
        sys.exit("The first page has no form with a CSRF token.")

    boundary = uuid.uuid4().hex
    request = urllib.request.Request(
        site,
        data=_form(boundary, token[1]),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    response = browser.open(request)
    answer = re.sub(r"<[^>]*>|\s+", " ", response.read().decode())
    if "/p/" not in response.url or f" {DIGIT} " not in answer or "%" not in answer:
        sys.exit(f"{response.url} does not show the digit {DIGIT}: {answer}")
    sys.stdout.write(f"{response.url} shows a {DIGIT}.\n")


def _form(boundary: str, token: str) -> bytes:
    picture = io.BytesIO()
    Image.fromarray(drawing.draw(DIGIT)).save(picture, "PNG")
    parts = (
        b'name="csrfmiddlewaretoken"\r\n\r\n' + token.encode(),
        b'name="picture"; filename="digit.png"\r\nContent-Type: image/png\r\n\r\n'
        + picture.getvalue(),
    )
    line = b"--" + boundary.encode()
    body = b"".join(line + b"\r\nContent-Disposition: form-data; " + p + b"\r\n" for p in parts)
    return body + line + b"--\r\n"


main(sys.argv[1])
