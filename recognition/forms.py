from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator

from ml import images
from ml.images import PictureError
from recognition.models import Prediction


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
        if size > images.MAX_BYTES:
            error = images.too_large(size)
            raise ValidationError(str(error), code=error.code)
        return picture

    def reject(self, error: PictureError) -> None:
        """Turn what the decoder says of the bytes into an error of the field."""
        self.add_error("picture", ValidationError(str(error), code=error.code))


TRUE_TEXT = "[0-9]*"  # a pattern of what a picture may really show; empty means no digit


class TrueTextField(forms.CharField):
    """What a picture really shows: digits, or an empty text when it shows no digit."""

    def __init__(self) -> None:
        not_digits = "Please answer with the digits 0 to 9, or say that there is no digit."
        super().__init__(
            required=False,
            max_length=50,
            validators=[RegexValidator(rf"\A{TRUE_TEXT}\Z", not_digits, code="not_digits")],
        )


class CorrectionForm(forms.Form):
    true_text = TrueTextField()
    seen = forms.CharField(required=False, max_length=50)  # the review that the page showed

    def clean_true_text(self) -> str:
        """Empty means no digit, so an answer that was left out must not pass for it."""
        if "true_text" not in self.data:
            raise ValidationError("Please say which digit it is.", code="required")
        true_text: str = self.cleaned_data["true_text"]
        return true_text

    def clean_seen(self) -> str | None:
        """None from a sender that does not say what it has seen."""
        return self.cleaned_data["seen"] if "seen" in self.data else None


class KeepForm(PictureForm):
    """A drawing or a camera's picture to keep, and what it shows where the sender says it."""

    SOURCES = (Prediction.Source.DRAW, Prediction.Source.CAMERA)

    source = forms.ChoiceField(
        choices=[(source.value, source.label) for source in SOURCES],
        error_messages={
            "required": "Please draw a digit, or take its picture with the camera.",
            "invalid_choice": "Please draw a digit, or take its picture with the camera.",
        },
    )
    true_text = TrueTextField()

    def clean_true_text(self) -> str | None:
        """None where nothing was said of it."""
        return self.cleaned_data["true_text"] if "true_text" in self.data else None
