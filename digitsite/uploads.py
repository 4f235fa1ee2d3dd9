from __future__ import annotations

from django.core.files.uploadhandler import TemporaryFileUploadHandler

MAX_KEPT_BYTES = 25_000_000  # more than any form here takes


class BoundedFileUploadHandler(TemporaryFileUploadHandler):
    """Write at most `MAX_KEPT_BYTES` of an uploaded file to disk.

    The rest is read and dropped, so that the form can still answer. The file's `size` is what
    the visitor sent: a form that limits the size refuses it.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start <= MAX_KEPT_BYTES:
            super().receive_data_chunk(raw_data, start)
