"""What the deployment adds to every request."""

from __future__ import annotations

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from digitsite import middleware, uploads


def answer_with(status: int) -> HttpResponse:
    respond = middleware.content_security_policy(lambda request: HttpResponse(status=status))
    return respond(RequestFactory().get("/"))


def test_browsers_may_load_nothing_from_elsewhere() -> None:
    policy = answer_with(200)["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_camera_is_for_this_site_and_nothing_else_is_asked_for() -> None:
    policy = answer_with(200)["Permissions-Policy"]

    assert "camera=(self)" in policy
    assert "microphone=()" in policy


def test_the_page_that_explains_an_error_keeps_its_own_style(settings: Settings) -> None:
    settings.DEBUG = True

    assert "Content-Security-Policy" not in answer_with(500)
    assert "Content-Security-Policy" in answer_with(200)


def test_an_error_in_production_keeps_the_policy() -> None:
    assert "Content-Security-Policy" in answer_with(500)


@pytest.mark.django_db
def test_every_page_has_the_headers_that_protect_it(client: Client) -> None:
    response = client.get("/admin/login/")

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert "Content-Security-Policy" in response


def test_an_endless_upload_does_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_KEPT_BYTES", 1000)
    handler = uploads.BoundedFileUploadHandler(RequestFactory().post("/"))
    handler.new_file("picture", "large.png", "image/png", 100_000)
    for start in range(0, 100_000, 500):
        handler.receive_data_chunk(500 * b"x", start)

    file = handler.file_complete(100_000)

    assert file is not None
    assert file.size == 100_000
    assert len(file.read()) == 1500
    file.close()


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("charset", ["hex", "rot13", "idna", "punycode", "undefined"])
@pytest.mark.parametrize("path", ["/", "/live/", "/predict", "/api/v1/predictions"])
def test_a_charset_that_is_none_for_text_is_a_bad_request(
    path: str, charset: str, debug: bool, settings: Settings, client: Client
) -> None:
    settings.DEBUG = debug
    body = b'--x\r\nContent-Disposition: form-data; name="table"\r\n\r\n\xff-\xff\r\n--x--\r\n'
    content_type = f"multipart/form-data; boundary=x; charset={charset}"

    response = client.generic("POST", path, body, content_type)

    assert response.status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "none-such"])
def test_other_charsets_are_read(charset: str, client: Client) -> None:
    content_type = f"multipart/form-data; boundary=x; charset={charset}"

    assert client.generic("POST", "/", b"--x--\r\n", content_type).status_code == 422


@pytest.mark.django_db
def test_the_database_tells_the_digits_of_the_scripts_apart() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE numeral (text VARCHAR(1))")
        cursor.execute("INSERT INTO numeral VALUES ('1'), ('१'), ('௧')")
        cursor.execute("SELECT COUNT(*) FROM numeral WHERE text = '1'")
        count = cursor.fetchone()
        cursor.execute("DROP TABLE numeral")

    assert count == (1,)
