from __future__ import annotations

from django.core.files.uploadhandler import TemporaryFileUploadHandler

MAX_KEPT_BYTES = 25_000_000  # more than any form here takes in one file
MAX_KEPT_TOGETHER = 205_000_000  # more than any form here takes in one request


class BoundedFileUploadHandler(TemporaryFileUploadHandler):
    """Write at most `MAX_KEPT_BYTES` of a file, and `MAX_KEPT_TOGETHER` of a request, to disk.

    The rest is read and dropped, so that the form can still answer. The file's `size` is what
    the visitor sent: a form that limits the size refuses it.
    """

    kept = 0  # bytes of this request; each request has a handler of its own

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start <= MAX_KEPT_BYTES and self.kept <= MAX_KEPT_TOGETHER:
            self.kept += len(raw_data)
            super().receive_data_chunk(raw_data, start)
