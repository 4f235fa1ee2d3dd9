from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render

from recognition import replies
from recognition.api import problems

GetResponse = Callable[[HttpRequest], HttpResponse]


def content_security_policy(get_response: GetResponse) -> GetResponse:
    """Tell browsers to run and load nothing but this site's own files, and what may be asked for.

    Django has this from version 6.0 on. As there, the pages that explain an error to a
    developer are left out, since their style and script stand inside them.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        if not (settings.DEBUG and response.status_code in {400, 404, 500}):
            response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        return response

    return middleware


def charset_of_text(get_response: GetResponse) -> GetResponse:
    """Refuse a request in a charset that is none for text, such as hex.

    Django passes over charsets that Python does not know; at these it would fail halfway.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            b"\xff-\xff".decode(request.encoding or "utf-8", "replace")  # none for text takes this
        except (LookupError, UnicodeError) as error:
            request.encoding = None  # type: ignore[assignment]  # a page that reports the mistake reads the request too
            raise BadRequest("The charset is none for text.") from error
        return get_response(request)

    return middleware


def method_not_allowed(get_response: GetResponse) -> GetResponse:
    """Give the answer 405 words, for whoever opens the address of a form; Django's is empty."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != 405 or response.content or replies.wants_json(request):
            return response
        page = render(request, "405.html", status=405)
        page.headers["Allow"] = response.headers["Allow"]
        return page

    return middleware


class SignInRequired(LoginRequiredMiddleware):
    """Send strangers to the page for signing in; a script is told so, since it follows no page.

    The API asks for a key or a session itself.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        if request.path_info.startswith(problems.PATHS):
            return None
        refusal = super().process_view(request, view_func, view_args, view_kwargs)
        return replies.signed_out() if refusal and replies.wants_json(request) else refusal

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseRedirect:
        """Come back to the page that a form stood on: the form itself is not sent again."""
        if request.method in {"GET", "HEAD"}:
            return super().handle_no_permission(request, view_func)
        return redirect_to_login(replies.page_before(request), self.get_login_url(view_func))
