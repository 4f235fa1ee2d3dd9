"""Signing in, and everything that the site keeps of one person."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UsernameField
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, PasswordChangeDoneView, PasswordChangeView
from django.core.cache import caches
from django.core.files import locks
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from recognition import limits, visitors
from recognition.models import Prediction

TRIES_PER_NAME = 10
TRIES_PER_ADDRESS = 30  # a school or an office often shares one
WINDOW = 15 * 60  # seconds
View = Callable[[HttpRequest], HttpResponseBase]


def guarded(sign_in: View) -> View:
    """A page that signs in: it takes a few wrong passwords, and hands over what was read before."""

    @never_cache
    @login_not_required
    @functools.wraps(sign_in)
    def view(request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST":
            return sign_in(request)

        counters = _counters(request)
        wait = _take_try(counters)  # before the password is looked at: others are tried meanwhile
        if wait:
            return _refuse(request, wait)

        response = sign_in(request)
        if isinstance(response, HttpResponseRedirect):
            _give_back(counters)
            visitors.adopt(request)
        return response

    return view


class SignInForm(AuthenticationForm):
    """Django's own, without `autofocus`: it skips what the page says, and may steal a focus."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs.pop("autofocus", None)


class PasswordForm(PasswordChangeForm):
    """Django's own, without `autofocus`, as `SignInForm`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)


sign_in = guarded(
    LoginView.as_view(template_name="accounts/sign_in.html", authentication_form=SignInForm)
)
change_password = PasswordChangeView.as_view(
    template_name="accounts/change_password.html", form_class=PasswordForm
)
password_changed = PasswordChangeDoneView.as_view(template_name="accounts/password_changed.html")


@never_cache
@require_safe
def your_data(request: HttpRequest) -> HttpResponse:
    kept = Prediction.objects.for_visitor(request).aggregate(
        records=Count("pk"), pictures=Count("pk", filter=~Q(picture="")), since=Min("created_at")
    )
    return render(request, "accounts/your_data.html", {"kept": kept})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete_your_data(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        kept = {"records": Prediction.objects.for_visitor(request).count()}
        return render(request, "accounts/delete_your_data.html", {"kept": kept})

    visitors.forget(request)
    return redirect("your_data")


def _counters(request: HttpRequest) -> dict[str, int]:
    """What is counted of a try, and how often it may be wrong; no name is kept as it was typed."""
    counted = (
        (f"name:{_account_name(request).casefold()}", TRIES_PER_NAME),
        (f"from:{limits.address(request)}", TRIES_PER_ADDRESS),
    )
    return {f"sign-in:{hashlib.sha256(who.encode()).hexdigest()}": most for who, most in counted}


def _account_name(request: HttpRequest) -> str:
    """The name as the form reads it; of an account that it finds, however it is written there."""
    typed = UsernameField().to_python(request.POST.get("username", "")) or ""
    name = typed.replace("\0", "")  # PostgreSQL takes none
    found = User.objects.filter(username=name).values_list("username", flat=True).first()
    return found or name


def _take_try(counters: dict[str, int]) -> int:
    """Count a try; where none is left, say after how many seconds there is one again, else 0."""
    with limits.counting(), _alone():
        wait = max(_seconds_left(key, most) for key, most in counters.items())
        if not wait:
            _count(counters, 1)
        return wait
    return 0  # it cannot be counted


def _give_back(counters: dict[str, int]) -> None:
    with limits.counting(), _alone():
        _count(counters, -1)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let no other thread or process of this machine count between what is read and written."""
    folder = Path(str(settings.CACHES["sign_in"]["LOCATION"]))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as file:
        locks.lock(file, locks.LOCK_EX)  # until the file is closed
        yield


def _seconds_left(key: str, most: int) -> int:
    """How long nothing is tried any more; 0 when it may be tried."""
    wrong, ends_at = caches["sign_in"].get(key, (0, 0.0))
    return max(1, round(ends_at - time.time())) if wrong >= most else 0


def _count(keys: Iterable[str], tries: int) -> None:
    now = time.time()
    for key in keys:
        wrong, ends_at = caches["sign_in"].get(key, (0, now + WINDOW))
        caches["sign_in"].set(key, (max(0, wrong + tries), ends_at), max(1, ends_at - now))


def _refuse(request: HttpRequest, wait: int) -> HttpResponse:
    context = {"minutes": -(-wait // 60)}
    response = render(request, "accounts/too_many_tries.html", context, status=429)
    response["Retry-After"] = str(wait)
    return response
