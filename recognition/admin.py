from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.contrib.admin.utils import model_ngettext
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Concat
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ml import reports
from ml.scripts import LATIN, SCRIPTS
from recognition import (
    account_admin,  # noqa: F401  registers the accounts
    exports,
    history,
    key_admin,  # noqa: F401  registers the API keys
    look_ups,
    model_facts,
    recognizers,
    wording,
)
from recognition.look_ups import CheckedList, CheckedLists
from recognition.models import (
    ModelActivation,
    Prediction,
    PredictionQuerySet,
    ReviewedMeanwhile,
    TrainedModel,
)
from recognition.templatetags.reading import percent

admin.site.site_header = "Digits: records and models"
admin.site.site_title = "Digits"
admin.site.index_title = "Records and models"
admin.site.enable_nav_sidebar = False  # the table of predictions needs the width

NOT_THERE = "-"
SAID = {True: "Right", False: "No digit"}  # in the history of a record
MARKED = {True: "right", False: "showing no digit"}
ROW_ID = re.compile(r"form-\d+-id", re.ASCII)  # a field of the list's form


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than a person pages: counting a large table costs more than its page."""

    LIMIT = 10_000

    @cached_property
    def count(self) -> int:
        found: PredictionQuerySet = self.object_list  # type: ignore[assignment]
        return found.order_by()[: self.LIMIT].count()

    @property
    def is_capped(self) -> bool:
        return self.count == self.LIMIT


class TextFilter(admin.SimpleListFilter):
    title = "read as"
    parameter_name = "read"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        script = SCRIPTS.get(request.GET.get("script__exact", ""), LATIN)
        return [*((numeral, numeral) for numeral in script.numerals), ("none", "nothing")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(text="" if self.value() == "none" else self.value())


class ReviewFilter(admin.SimpleListFilter):
    title = "review"
    parameter_name = "review"
    NARROWED: dict[str, Callable[[PredictionQuerySet], PredictionQuerySet]] = {  # noqa: RUF012
        "open": PredictionQuerySet.not_reviewed,
        "done": PredictionQuerySet.reviewed,
        "right": PredictionQuerySet.read_right,
        "wrong": PredictionQuerySet.read_wrong,
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "to be reviewed"), ("done", "reviewed"), ("right", "right"),
                ("wrong", "wrong")]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        narrow = self.NARROWED.get(self.value() or "")
        return narrow(cast(PredictionQuerySet, queryset)) if narrow else queryset


class ConfidenceFilter(admin.SimpleListFilter):
    title = "confidence"
    parameter_name = "confidence"
    BANDS = {  # noqa: RUF012
        "below-50": (0.0, 0.5, "below 50 %"),
        "50-80": (0.5, 0.8, "50 to 80 %"),
        "80-95": (0.8, 0.95, "80 to 95 %"),
        "95-99": (0.95, 0.99, "95 to 99 %"),
        "from-99": (0.99, 1.01, "99 % and more"),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (_, _, label) in self.BANDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        band = self.BANDS.get(self.value() or "")
        if band is None:
            return queryset
        return queryset.filter(confidence__gte=band[0], confidence__lt=band[1])


class ModelFilter(admin.SimpleListFilter):
    """Django's own filter would read every model's card to know its name."""

    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        models = TrainedModel.objects.order_by("-created_at").values_list("pk", "version")
        return [(str(pk), version) for pk, version in models[:50]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {value for value, _ in self.lookup_choices}
        return queryset.filter(model_id=self.value()) if self.value() in known else queryset


class ReviewForm(forms.ModelForm):  # type: ignore[type-arg]
    # The hidden copy of what the reviewer saw: without it, a page left open would undo what
    # another reviewer has written since.
    true_text = forms.CharField(
        required=False,
        max_length=50,
        show_hidden_initial=True,
        widget=forms.TextInput(
            attrs={"size": 4, "inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="What the picture really shows. Empty again: the review is taken back.",
    )

    class Meta:
        model = Prediction
        fields = ("true_text",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["true_text"].widget.attrs["aria-label"] = f"True text of {self.instance.pk}"

    def clean_true_text(self) -> str:
        text: str = self.cleaned_data["true_text"].strip()
        numerals = SCRIPTS[self.instance.script].numerals
        if not set(text) <= set(numerals):
            raise ValidationError(
                f"Please write only the digits {numerals[0]} to {numerals[9]}.", code="not_digits"
            )
        seen = self.data.get(_seen(self.instance))
        if "true_text" in self.changed_data and _is_overtaken(self.instance, seen, text):
            now = wording.review(self.instance) or "Its review is taken back."
            raise ValidationError(
                f"Somebody has reviewed this record meanwhile: {now} Save again to change that.",
                code="reviewed_meanwhile",
            )
        return text


class ReviewFormSet(forms.BaseModelFormSet):  # type: ignore[type-arg]
    """The rows of the list; without those whose records are gone, since Django fails on them."""

    @cached_property
    def forms(self) -> list[Any]:
        rows = list(range(self.total_form_count()))
        if self.is_bound:
            there = {str(prediction.pk) for prediction in self.get_queryset()}
            rows = [row for row in rows if self.data.get(f"{self.prefix}-{row}-id") in there]
        make: Any = self._construct_form  # type: ignore[attr-defined]
        return [make(row, **self.get_form_kwargs(row)) for row in rows]


class PredictionList(CheckedList):
    """Asks only once where there is nothing: each further question would read a large table."""

    def get_results(self, request: HttpRequest) -> None:
        with look_ups.wrong_ones(self.model):
            is_empty = not self.queryset.order_by().exists()
        if is_empty:
            self.queryset = self.queryset.none()
        if self.page_num > 1:  # and the last record of that page may just have been reviewed
            pages = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
            self.page_num = min(self.page_num, pages.num_pages)
        super().get_results(request)


@admin.register(Prediction)
class PredictionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = ReviewForm
    list_display = (
        "thumbnail",
        "read_text",
        "check_buttons",
        "true_text",
        "percent",
        "shown_verdict",
        "source",
        "script",
        "model_version",
        "time",
    )
    list_display_links = ("thumbnail",)
    list_editable = ("true_text",)
    list_filter = (
        "verdict",
        ReviewFilter,
        TextFilter,
        ConfidenceFilter,
        "source",
        "script",
        ModelFilter,
        ("created_at", admin.DateFieldListFilter),
    )
    list_per_page = 50
    list_max_show_all = 180  # rows of five fields each; Django takes a thousand
    ordering = ("-created_at", "-id")
    sortable_by = ("time", "percent")
    date_hierarchy = "created_at"
    search_fields = ("public_id", "text", "true_text")
    search_help_text = "A text that was read, a true text, or (part of) a record's public id"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each count would read the whole table
    paginator = CappedPaginator
    actions = ("mark_right", "mark_no_digit", "export_csv", "delete_selected")
    actions_selection_counter = True
    fieldsets = (
        ("Review", {"fields": ("true_text", "reviewed_by", "reviewed_at")}),
        ("Reading", {"fields": ("read_text", "percent", "shown_verdict", "explained",
                                "model_version", "duration")}),
        ("Record", {"fields": ("public_id", "source", "script", "created_at", "owner",
                               "picture_size", "picture_sha256")}),
    )  # fmt: skip

    class Media:
        css = {"all": ("css/admin.css",)}  # noqa: RUF012

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        if self.has_change_permission(request):
            return list(self.list_display)
        return ["review_state" if name == "check_buttons" else name for name in self.list_display]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = [name for _, section in self.fieldsets for name in section["fields"]]
        return [name for name in fields if name != "true_text"]

    def get_queryset(self, request: HttpRequest) -> PredictionQuerySet:
        predictions: PredictionQuerySet = super().get_queryset(request)  # type: ignore[assignment]
        return predictions.with_models()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PredictionList

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[ReviewForm]:
        return ReviewForm

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_formset(request, formset=ReviewFormSet, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Whole texts, and the beginning of a public id from eight of its figures on."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(text=term) | Q(true_text=term)
        figures = term.replace("-", "").lower()
        if len(figures) >= 8 and set(figures) <= set("0123456789abcdef"):
            found |= Q(public_id__startswith=_with_hyphens(figures))
        return queryset.filter(found), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    # The list

    @admin.display(description="Picture")
    def thumbnail(self, prediction: Prediction) -> SafeString:
        if not prediction.picture:
            return format_html('<span class="no-picture">{}</span>', "no picture")
        return format_html(
            '<img class="thumbnail" src="{}" alt="Picture {}" loading="lazy" width="48" '
            'height="48">',
            reverse("thumbnail", args=[prediction.public_id]),
            prediction.pk,
        )

    @admin.display(description="Text")
    def read_text(self, prediction: Prediction) -> SafeString:
        return format_html('<b class="read-text">{}</b>', prediction.text or NOT_THERE)

    @admin.display(description="Confidence", ordering="confidence")
    def percent(self, prediction: Prediction) -> str:
        return percent(prediction.confidence)

    @admin.display(description="Verdict")
    def shown_verdict(self, prediction: Prediction) -> SafeString:
        reason = prediction.reason.replace("_", " ")
        return format_html(
            '<span class="verdict" data-verdict="{}">{}</span>{}',
            prediction.verdict,
            prediction.get_verdict_display(),
            f" {reason}" if reason and reason != prediction.verdict else "",
        )

    @admin.display(description="Reason")
    def explained(self, prediction: Prediction) -> str:
        return " ".join(wording.explain(prediction.reason)) if prediction.reason else NOT_THERE

    @admin.display(description="Review")
    def review_state(self, prediction: Prediction) -> SafeString | str:
        if prediction.reviewed_at is None:
            return NOT_THERE
        said = "right" if prediction.is_right else "wrong"
        what = said if prediction.true_text else f"{said}, no digit"
        return format_html('<span data-review="{}">{}</span>', said, what)

    @admin.display(description="Review")
    def check_buttons(self, prediction: Prediction) -> SafeString | str:
        seen = format_html(
            '<input type="hidden" name="{}" value="{}" autocomplete="off">',
            _seen(prediction),
            prediction.review_code,
        )
        if prediction.reviewed_at is not None:
            return format_html("{}{}", seen, self.review_state(prediction))
        right = _button("_right", "Right", prediction) if prediction.text else ""
        return format_html("{}{}{}", seen, right, _button("_no_digit", "No digit", prediction))

    @admin.display(description="Model")
    def model_version(self, prediction: Prediction) -> str:
        return prediction.model.version

    @admin.display(ordering="created_at")
    def time(self, prediction: Prediction) -> str:
        return f"{timezone.localtime(prediction.created_at):%Y-%m-%d %H:%M}"

    @admin.display(description="Time taken")
    def duration(self, prediction: Prediction) -> str:
        return f"{prediction.duration_ms:.1f} ms"

    @admin.display(description="Picture")
    def picture_size(self, prediction: Prediction) -> str:
        size = f"{prediction.picture_width} x {prediction.picture_height} px"
        return size if prediction.picture else f"{size}, removed since"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A row's buttons save what else was edited on the page, then review their row."""
        pressed = {"_right", "_no_digit"} & set(request.POST)
        if not pressed and "_save" not in request.POST:
            return super().changelist_view(request, extra_context)
        start = timezone.now()
        gone = _deleted_rows(request)
        post = request.POST.copy()
        post["_save"] = "1"
        overtaken = _take_out_overtaken(post)
        request.POST = post  # type: ignore[assignment]
        response = super().changelist_view(request, extra_context)
        if gone:
            self._tell_deleted(request, len(gone))
        for prediction in overtaken:
            self._tell_reviewed(request, prediction)
        if pressed and isinstance(response, HttpResponseRedirect):
            as_read = "_right" in pressed
            key = str(post["_right" if as_read else "_no_digit"])
            if key not in gone | {str(prediction.pk) for prediction in overtaken}:
                self._review_one(request, key, as_read=as_read, unless_typed_since=start)
        return response

    def _tell_deleted(self, request: HttpRequest, count: int) -> None:
        text = (
            "1 of the records was deleted meanwhile. Nothing was stored for it."
            if count == 1
            else f"{count} of the records were deleted meanwhile. Nothing was stored for them."
        )
        self.message_user(request, text, messages.WARNING)

    def _tell_reviewed(self, request: HttpRequest, prediction: Prediction) -> None:
        now = wording.review(prediction)
        what = f"reviewed meanwhile: {now}" if now else "reviewed meanwhile."
        text = f"Prediction {prediction.pk} was {what} It is left as it is."
        self.message_user(request, text, messages.WARNING)

    def _review_one(
        self, request: HttpRequest, key: str, *, as_read: bool, unless_typed_since: datetime
    ) -> bool:
        """Store what a button says of a record that nobody has reviewed; whether it was stored."""
        prediction = self.get_object(request, key)
        if prediction is None:
            self._tell_deleted(request, 1)
            return False
        if not self.has_change_permission(request, prediction):
            raise PermissionDenied
        by: Any = request.user
        found = Prediction.objects.filter(pk=prediction.pk)
        if found.review_all(as_read=as_read, by=by):
            self.log_change(request, prediction, SAID[as_read])
            return True
        if not found.exists():
            self._tell_deleted(request, 1)
        elif not found.filter(reviewed_by=by, reviewed_at__gte=unless_typed_since).exists():
            self._tell_reviewed(request, prediction)
        return False

    # Actions

    @admin.action(description="Mark as right", permissions=["change"])
    def mark_right(self, request: HttpRequest, predictions: PredictionQuerySet) -> None:
        refused = predictions.not_reviewed().filter(text="").count()
        self._review_all(request, predictions, as_read=True)
        if refused:
            self.message_user(
                request,
                "1 of them had been refused: its record now says that the picture shows no digit."
                if refused == 1
                else f"{refused} of them had been refused: their records now say that the picture "
                "shows no digit.",
                messages.WARNING,
            )

    @admin.action(description="Mark as showing no digit", permissions=["change"])
    def mark_no_digit(self, request: HttpRequest, predictions: PredictionQuerySet) -> None:
        self._review_all(request, predictions, as_read=False)

    def _review_all(
        self, request: HttpRequest, predictions: PredictionQuerySet, *, as_read: bool
    ) -> None:
        selected = predictions.count()
        newest = predictions.order_by("-pk").values_list("pk", flat=True).first()
        by: Any = request.user
        done = 0
        for batch in (
            predictions.not_reviewed().filter(pk__lte=newest or 0).order_by("pk").batches()
        ):
            at = timezone.now()
            with transaction.atomic():
                done += batch.review_all(as_read=as_read, by=by, at=at)
                _log_all(batch.filter(reviewed_at=at), by, at, SAID[as_read])
        self.message_user(request, f"{done} marked as {MARKED[as_read]}.", messages.SUCCESS)
        if selected > done:
            left = "is as it was" if selected - done == 1 else "are as they were"
            self.message_user(
                request,
                f"{selected - done} had been reviewed before and {left}.",
                messages.WARNING,
            )

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_csv(
        self, request: HttpRequest, predictions: PredictionQuerySet
    ) -> StreamingHttpResponse:
        name = f"predictions-{timezone.localtime():%Y-%m-%d}.csv"
        rows = history.walk(predictions.prefetch_related("reviewed_by").defer("digits"))
        return StreamingHttpResponse(
            exports.predictions_csv(rows),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @admin.action(description="Delete selected predictions", permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, predictions: PredictionQuerySet
    ) -> HttpResponse | None:
        """Django's, for any number of records, and only those that were there when it asked.

        Of "all" its page names the newest instead of each, since a form of a thousand fields and
        more is refused.
        """
        newest = request.POST.get("up_to", "")
        if newest.isdecimal():
            predictions = predictions.filter(pk__lte=newest)
        if "post" in request.POST:
            self._delete_all(request, predictions)
            return None
        response: Any = delete_selected(self, request, predictions.defer("digits"))
        if response is not None:
            newest_first = predictions.order_by("-pk").values_list("pk", flat=True)
            response.context_data["up_to"] = newest_first.first()
        return cast("HttpResponse | None", response)

    def _delete_all(self, request: HttpRequest, predictions: PredictionQuerySet) -> None:
        """Batch by batch, with one line in the log for all: Django's way keeps others waiting."""
        count, by = predictions.count(), cast(User, request.user)
        LogEntry.objects.create(
            user=by,
            content_type=get_content_type_for_model(self.model),
            object_repr=f"{count} {model_ngettext(self.opts, count)}",
            action_flag=DELETION,
        )
        done = sum(batch.delete()[0] for batch in predictions.order_by("pk").batches())
        text = f"{done} {model_ngettext(self.opts, done)} deleted."
        self.message_user(request, text, messages.SUCCESS)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name a few and count them all: Django would list each of a hundred thousand."""
        count = objs.count() if isinstance(objs, QuerySet) else len(objs)
        named = [f"Prediction {prediction.pk}: {prediction}" for prediction in objs[:20]]
        if count > len(named):
            named.append(f"and {count - len(named)} more")
        allowed = self.has_delete_permission(request)
        needed = set() if allowed else {str(self.opts.verbose_name)}
        return named, {"predictions, each with its picture": count}, needed, []

    # One record

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        prediction: Prediction | None = kwargs.get("obj")
        if prediction is not None:
            context["numerals"] = SCRIPTS[prediction.script].numerals
            context["is_reviewable"] = (
                prediction.reviewed_at is None and self.has_change_permission(request, prediction)
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page's buttons review its record as a row's do; a typed text wins over "Right"."""
        pressed = {"_right", "_no_digit"} & set(request.POST)
        is_typed = "_right" in pressed and bool(request.POST.get("true_text", "").strip())
        if not pressed or is_typed:
            return super().change_view(request, object_id, form_url, extra_context)
        as_read = "_right" in pressed
        if self._review_one(request, object_id, as_read=as_read, unless_typed_since=timezone.now()):
            self.message_user(request, f"1 marked as {MARKED[as_read]}.", messages.SUCCESS)
        return self.response_post_save_change(request, None)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if "true_text" in form.changed_data:
            self._write(request, obj, obj.true_text or None)

    def _write(self, request: HttpRequest, prediction: Prediction, true_text: str | None) -> None:
        """Store a typed review, or withdraw it when there is no text."""
        seen = request.POST.get(_seen(prediction))
        try:
            if true_text is None:
                prediction.withdraw_review(seen=seen)
            else:
                prediction.review(true_text, by=request.user, seen=seen)  # type: ignore[arg-type]
        except Prediction.DoesNotExist:
            self._tell_deleted(request, 1)
        except ReviewedMeanwhile:  # since the form was checked
            self._tell_reviewed(request, prediction)


class ActivationInline(admin.TabularInline):  # type: ignore[type-arg]
    model = ModelActivation
    fields = readonly_fields = ("activated_at", "by", "why")
    ordering = ("-pk",)
    extra = 0
    can_delete = False
    verbose_name_plural = "history of activations"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(TrainedModel)
class TrainedModelAdmin(CheckedLists, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        "version",
        "script",
        "active",
        "accuracy",
        "calibration_error",
        "architecture",
        "shipped",
        "created_at",
    )
    list_filter = ("script", "shipped")
    search_fields = ("version",)
    ordering = ("script", "-created_at", "-id")
    actions = ("activate", "roll_back")
    fields = readonly_fields = (
        "version",
        "script",
        "active",
        "accuracy",
        "architecture",
        "trained_on",
        "command",
        "training_time",
        "shipped",
        "directory",
        "sha256",
        "created_at",
    )
    inlines = (ActivationInline,)

    class Media:
        css = {"all": ("css/admin.css",)}  # noqa: RUF012

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and (
            obj.is_active or obj.predictions.exists() or obj.activations.exists()
        ):
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # one at a time, on its own page
        return actions

    # What the card says

    @admin.display(description="active", boolean=True)
    def active(self, model: TrainedModel) -> bool:
        return model.is_active

    @admin.display(description="test accuracy", ordering="test_accuracy")
    def accuracy(self, model: TrainedModel) -> str:
        test = model_facts.gather(model.card).main
        return f"{percent(test.figures['accuracy'])} on {test.title}" if test else NOT_THERE

    @admin.display(description="calibration error")
    def calibration_error(self, model: TrainedModel) -> str:
        test = model_facts.gather(model.card).main
        return percent(test.figures.get("expected_calibration_error")) if test else NOT_THERE

    @admin.display
    def architecture(self, model: TrainedModel) -> str:
        return str(model.card.get("architecture") or NOT_THERE)

    @admin.display
    def trained_on(self, model: TrainedModel) -> str:
        titles = [dataset.title for dataset in model_facts.gather(model.card).datasets]
        return ", ".join(titles) or NOT_THERE

    @admin.display
    def command(self, model: TrainedModel) -> SafeString:
        return format_html("<code>{}</code>", model.card.get("command") or NOT_THERE)

    @admin.display
    def training_time(self, model: TrainedModel) -> str:
        minutes = model_facts.gather(model.card).minutes
        return f"{minutes:.1f} minutes" if minutes else NOT_THERE

    @admin.display
    def directory(self, model: TrainedModel) -> SafeString:
        return format_html("<code>{}</code>", model.directory)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        model: TrainedModel | None = kwargs.get("obj")
        if model is not None:
            report = reports.read(model.directory)
            context["facts"] = model_facts.gather(model.card, report)
            context["evaluation_plots"] = model_facts.plots(model.directory)
            context["previous"] = (
                TrainedModel.objects.previous(model.script) if model.is_active else None
            )
        context |= {"show_save": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    # Activating

    @admin.action(description="Activate the selected model", permissions=["change"])
    def activate(self, request: HttpRequest, models: QuerySet[TrainedModel]) -> None:
        chosen = list(models[:2])
        if len(chosen) != 1:
            self.message_user(request, "Please select one model.", messages.ERROR)
            return
        self._activate(request, chosen[0], why="chosen in the admin")

    @admin.action(
        description="Roll back to the model that was active before", permissions=["change"]
    )
    def roll_back(self, request: HttpRequest, models: QuerySet[TrainedModel]) -> None:
        for script in sorted({model.script for model in models}):
            self._roll_back(request, script)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing is edited here: the page's buttons activate and roll back."""

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if "_activate" in request.POST:
            self._activate(request, obj, why="chosen in the admin")
        elif "_roll_back" in request.POST:
            self._roll_back(request, obj.script)
        else:
            return super().response_change(request, obj)
        return HttpResponseRedirect(request.get_full_path())

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Say nothing of a change that is none; activations have a history of their own."""

    def _roll_back(self, request: HttpRequest, script: str) -> None:
        previous = TrainedModel.objects.previous(script)
        if previous is None:
            text = f"No other model has been active for {SCRIPTS[script].name} before."
            self.message_user(request, text, messages.ERROR)
            return
        self._activate(request, previous, why="rolled back in the admin")

    def _activate(self, request: HttpRequest, model: TrainedModel, *, why: str) -> None:
        try:
            recognizers.verify(model)
        except recognizers.ModelUnavailable as error:
            self.message_user(request, f"{error} Nothing was changed.", messages.ERROR)
            return
        if model.activate(why=why, by=request.user) is None:  # type: ignore[arg-type]
            self.message_user(request, f"The model {model} was active already.", messages.WARNING)
            return
        text = f"The model {model} now reads new pictures in {SCRIPTS[model.script].name}."
        self.message_user(request, text, messages.SUCCESS)


@admin.register(ModelActivation)
class ModelActivationAdmin(CheckedLists, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("activated_at", "model", "by", "why")
    list_select_related = ("model", "by")
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _log_all(predictions: PredictionQuerySet, by: User, at: datetime, said: str) -> None:
    """Let the database write a line of the log for each; to make many of them here takes long."""
    line = {
        "action_time": Value(at),
        "user_id": Value(by.pk),
        "content_type_id": Value(get_content_type_for_model(Prediction).pk),
        "object_id": Cast("pk", TextField()),
        "object_repr": Concat(  # as Prediction.__str__
            Case(When(text="", then=Value("-")), default=F("text")),
            Value(" ("),
            F("verdict"),
            Value(")"),
        ),
        "action_flag": Value(CHANGE),
        "change_message": Value(said),
    }
    lines, values = predictions.order_by().values_list(*line.values()).query.sql_with_params()
    table, *columns = map(connection.ops.quote_name, [LogEntry._meta.db_table, *line])
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) {lines}", values)


def _deleted_rows(request: HttpRequest) -> set[str]:
    """The ids in the list's form that no record has any more."""
    sent = {str(value) for name, value in request.POST.items() if ROW_ID.fullmatch(name)}
    keys = [int(key) for key in sent if re.fullmatch(r"\d{1,18}", key, re.ASCII)]
    there = Prediction.objects.filter(pk__in=keys).values_list("pk", flat=True)
    return sent - {str(key) for key in there}


def _take_out_overtaken(post: QueryDict) -> list[Prediction]:
    """Take out of the list's form what was typed of records with another review by now.

    A mistake of the form would show it again beside rows that are others: whoever reviews looks
    at the open ones, and these records are none any more.
    """
    typed = {}
    for name in filter(ROW_ID.fullmatch, list(post)):
        row, key = name.removesuffix("-id"), post.get(name, "")
        text, before = post.get(f"{row}-true_text", ""), post.get(f"initial-{row}-true_text", "")
        if text.strip() != before and re.fullmatch(r"\d{1,18}", key, re.ASCII):
            typed[int(key)] = row, text.strip(), before
    overtaken = []
    for pk, prediction in Prediction.objects.defer("digits").in_bulk(typed).items():
        row, text, before = typed[pk]
        if _is_overtaken(prediction, post.get(_seen(prediction)), text):
            post[f"{row}-true_text"] = before
            overtaken.append(prediction)
    return overtaken


def _is_overtaken(prediction: Prediction, seen: str | None, text: str) -> bool:
    """Whether a page showed another review than there is now, and its reader says not the same."""
    return seen is not None and prediction.review_code not in {seen, text}


def _with_hyphens(figures: str) -> str:
    """The beginning of a public id as databases write it that have a type for such ids."""
    parts = (figures[:8], figures[8:12], figures[12:16], figures[16:20], figures[20:])
    return "-".join(filter(None, parts))


def _seen(prediction: Prediction) -> str:
    """The field in which a page says what review it showed of a record."""
    return f"seen-{prediction.pk}"


def _button(name: str, label: str, prediction: Prediction) -> SafeString:
    return format_html(
        '<button class="check" name="{}" value="{}" aria-label="{}: picture {}">{}</button>',
        name,
        prediction.pk,
        label,
        prediction.pk,
        label,
    )
