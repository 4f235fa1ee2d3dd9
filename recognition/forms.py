from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from ml.images import MAX_BYTES, PictureError


class PictureForm(forms.Form):
    picture = forms.FileField(
        error_messages={
            "required": "Please select an image file.",
            "invalid": "Please select an image file.",
            "empty": "The file is empty. Please choose another picture.",
        },
    )

    def clean_picture(self) -> UploadedFile[Any]:
        picture: UploadedFile[Any] = self.cleaned_data["picture"]
        size = picture.size or 0
        if size > MAX_BYTES:
            raise ValidationError(
                f"The file has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB can be "
                "read. Please send a smaller picture.",
                code="too_large",
            )
        return picture

    def reject(self, error: PictureError) -> None:
        """Turn what the decoder says of the bytes into an error of the field."""
        self.add_error("picture", ValidationError(str(error), code=error.code))
