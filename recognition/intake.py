"""Pictures that programs send: files of a form, or base64 in JSON."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from django.core.exceptions import (
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from ml import images
from ml.images import PictureError

MAX_JSON_BYTES = 10_000_000  # all of it is held in memory; larger pictures are sent as files
MAX_FORM_BYTES = 200_000_000
MAX_PICTURES = 100
TOO_MANY = f"At most {MAX_PICTURES} pictures can be sent at once."
TOO_MUCH_TEXT = "The form holds too much besides files. Send pictures as files of the form."
DATA_URL = re.compile(r"data:[^,]{0,100};base64,")


class BadRequest(Exception):
    """The request cannot be read; the text is for whoever wrote the program."""

    status = 400


class TooLarge(BadRequest):
    """The request holds more than is read at once."""

    status = 413


class UnknownType(BadRequest):
    """The body has a type that is not read here."""

    status = 415


class LengthMissing(BadRequest):
    """The body came in pieces; the server passes on only what has a length."""

    status = 411


def json_body(request: HttpRequest) -> Any:
    """Parse the body as JSON.

    Raises:
        BadRequest: it is not JSON, or larger than `MAX_JSON_BYTES`.
    """
    if _length(request) > MAX_JSON_BYTES:
        raise TooLarge(
            f"JSON may have {MAX_JSON_BYTES / 1e6:.0f} MB. Send larger pictures as "
            "multipart/form-data."
        )
    try:
        return json.loads(request.read())
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON.") from error


def files(request: HttpRequest, field: str) -> list[UploadedFile[Any]]:
    """The files of one field of a form.

    Raises:
        BadRequest: the form is broken, larger than `MAX_FORM_BYTES`, or holds too many pictures or
            much text.
    """
    if _length(request) > MAX_FORM_BYTES:
        raise TooLarge(f"A form may have {MAX_FORM_BYTES / 1e6:.0f} MB.")
    try:
        sent = request.FILES.getlist(field)
    except TooManyFilesSent as error:
        raise TooLarge(TOO_MANY) from error
    except (TooManyFieldsSent, RequestDataTooBig) as error:
        raise TooLarge(TOO_MUCH_TEXT) from error
    except MultiPartParserError as error:
        raise BadRequest("The form is not valid multipart/form-data.") from error
    if len(sent) > MAX_PICTURES:
        raise TooLarge(TOO_MANY)
    return sent


def _length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and "Transfer-Encoding" in request.headers:
        raise LengthMissing("Send the body in one piece, with Content-Length.")
    return int(length) if length.isdecimal() else 0


def read(file: UploadedFile[Any]) -> bytes:
    """The bytes of an uploaded file.

    Raises:
        PictureError: there are too many.
    """
    size = file.size or 0
    if size > images.MAX_BYTES:
        raise images.too_large(size)
    data: bytes = file.read()
    return data


def decode(text: str) -> bytes:
    """The bytes of a picture in base64, with or without `data:image/png;base64,` before it.

    Raises:
        PictureError: this is no base64.
    """
    start = DATA_URL.match(text)
    encoded = "".join(text[start.end() if start else 0 :].split())
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise PictureError(
            "not_base64", "The picture is not valid base64. Please encode the file's bytes."
        ) from error
