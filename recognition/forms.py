from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from ml.images import MAX_BYTES, PictureError


class PictureForm(forms.Form):
    picture = forms.FileField(
        widget=forms.FileInput(attrs={"accept": "image/*", "data-picture": ""}),
        error_messages={
            "required": "Please select an image file.",
            "invalid": "Please select an image file.",
            "empty": "The file is empty. Please choose another picture.",
        },
    )

    def clean_picture(self) -> UploadedFile:
        picture: UploadedFile = self.cleaned_data["picture"]
        if (picture.size or 0) > MAX_BYTES:
            raise ValidationError(
                f"The file has {filesizeformat(picture.size)}; at most "
                f"{filesizeformat(MAX_BYTES)} can be read. Please send a smaller picture.",
                code="too_large",
            )
        return picture

    def reject(self, error: PictureError) -> None:
        """Turn what the decoder says of the bytes into an error of the field."""
        self.add_error("picture", ValidationError(str(error), code=error.code))
