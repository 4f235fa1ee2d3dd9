"""What addresses hold."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import UUIDConverter


class AnyCaseUUID(UUIDConverter):
    """An id as any program writes it: some print capital letters."""

    regex = UUIDConverter.regex.replace("a-f", "a-fA-F")


register_converter(AnyCaseUUID, "record")
