"""How the site starts, each time in a Python of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

KEY = "Xq" + "a1b2c3d4e5" * 6
PRODUCTION = {"SECRET_KEY": KEY, "ALLOWED_HOSTS": "digits.example.org"}
SHOWN = (
    "DEBUG",
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "ALLOWED_HOSTS",
    "SECURE_PROXY_SSL_HEADER",
)


def python(*args: str, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "HOME")
    environment = {name: os.environ[name] for name in inherited if name in os.environ}
    environment |= {
        "ENV_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "PICTURE_ROOT": str(tmp_path / "pictures"),
        "MODEL_ROOT": str(tmp_path / "models"),
    } | variables
    return subprocess.run(
        [sys.executable, *args], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def settings_of(tmp_path: Path, **variables: str) -> dict[str, object]:
    program = (
        "import json; from digitsite import settings; "
        f"print(json.dumps({{n: getattr(settings, n, None) for n in {SHOWN}}}))"
    )
    result = python("-c", program, tmp_path=tmp_path, **variables)
    assert result.returncode == 0, result.stderr
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_production_is_the_default_and_safe(tmp_path: Path) -> None:
    found = settings_of(tmp_path, **PRODUCTION)

    assert found == {
        "DEBUG": False,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "ALLOWED_HOSTS": ["digits.example.org"],
        "SECURE_PROXY_SSL_HEADER": None,
    }


def test_an_office_without_https_can_say_so(tmp_path: Path) -> None:
    found = settings_of(tmp_path, **PRODUCTION, HTTPS_ONLY="0")

    assert found["SECURE_SSL_REDIRECT"] is False
    assert found["SECURE_HSTS_SECONDS"] == 0
    assert found["SESSION_COOKIE_SECURE"] is False


def test_a_proxy_is_trusted_only_when_asked(tmp_path: Path) -> None:
    found = settings_of(tmp_path, **PRODUCTION, TRUST_PROXY="1")

    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_a_site_for_people_with_accounts_says_so_in_one_variable(tmp_path: Path) -> None:
    program = "from digitsite import settings as s; print(s.MIDDLEWARE[-1], s.REQUIRE_SIGN_IN)"
    closed = python("-c", program, tmp_path=tmp_path, **PRODUCTION, REQUIRE_SIGN_IN="1")
    open_ = python("-c", program, tmp_path=tmp_path, **PRODUCTION, REQUIRE_SIGN_IN_TO_KEEP="1")

    assert closed.stdout.strip().endswith("SignInRequired True")
    assert open_.stdout.strip().endswith("method_not_allowed False")


def test_the_server_does_not_start_without_a_secret_key(tmp_path: Path) -> None:
    result = python("-c", "import digitsite.wsgi", tmp_path=tmp_path)

    assert result.returncode != 0
    assert "ImproperlyConfigured: SECRET_KEY is not set" in result.stderr


def test_manage_py_works_on_a_fresh_copy_without_any_setting(tmp_path: Path) -> None:
    result = python("manage.py", "migrate", "--verbosity", "0", tmp_path=tmp_path)

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_manage_py_with_debug_off_asks_for_the_key(tmp_path: Path) -> None:
    result = python("manage.py", "check", tmp_path=tmp_path, DEBUG="0")

    assert result.returncode != 0
    assert "SECRET_KEY is not set" in result.stderr


def test_check_deploy_is_clean_with_the_documented_settings(tmp_path: Path) -> None:
    for command in (["migrate", "--verbosity=0"], ["install_pretrained", "--verbosity=0"]):
        prepared = python("manage.py", *command, tmp_path=tmp_path, **PRODUCTION)
        assert prepared.returncode == 0, prepared.stderr

    result = python(
        "manage.py", "check", "--deploy", "--fail-level=WARNING", tmp_path=tmp_path, **PRODUCTION
    )

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("module", ["digitsite.wsgi", "digitsite.urls", "recognition.admin"])
def test_a_web_process_loads_neither_tensorflow_nor_keras_nor_matplotlib(
    tmp_path: Path, module: str
) -> None:
    program = (
        "import sys, django; django.setup(); import " + module + "; "
        "from django.urls import get_resolver; get_resolver().url_patterns; "
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'jax', 'torch'} & set(sys.modules)))"
    )

    result = python(
        "-c", program, tmp_path=tmp_path, DJANGO_SETTINGS_MODULE="digitsite.settings", **PRODUCTION
    )

    assert result.stdout.strip() == "[]", result.stderr


def test_the_api_is_loaded_for_those_who_ask_it(tmp_path: Path) -> None:
    program = (
        "import sys, django; django.setup(); from django.test import Client; "
        "client = Client(headers={'host': 'digits.example.org'}); "
        "loaded = lambda: sorted({'ninja', 'pydantic'} & set(sys.modules)); "
        "print(client.post('/predict', secure=True).status_code, loaded()); "
        "print(client.get('/api/v1/openapi.json', secure=True).status_code, loaded())"
    )

    result = python(
        "-c", program, tmp_path=tmp_path, DJANGO_SETTINGS_MODULE="digitsite.settings",
        **PRODUCTION,
    )  # fmt: skip

    assert result.stdout.splitlines() == ["400 []", "200 ['ninja', 'pydantic']"], result.stderr


def test_manage_py_loads_no_tensorflow_for_commands_that_do_not_train(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['manage.py', 'check']; import manage; manage.main(); "
        "sys.exit(str({'tensorflow', 'keras'} & set(sys.modules)) if 'keras' in sys.modules else 0)"
    )

    result = python("-c", program, tmp_path=tmp_path)

    assert result.returncode == 0, result.stderr


def test_gunicorn_takes_its_configuration(tmp_path: Path) -> None:
    result = python(
        "-m", "gunicorn", "--check-config", "--config", "python:digitsite.gunicorn",
        "digitsite.wsgi", tmp_path=tmp_path, WEB_WORKERS="3", **PRODUCTION,
    )  # fmt: skip

    assert result.returncode == 0, result.stderr


def test_a_worker_starts_where_there_is_no_database_yet(tmp_path: Path) -> None:
    program = (
        "import digitsite.wsgi; from digitsite import gunicorn; gunicorn.post_worker_init(None)"
    )

    result = python(
        "-c", program, tmp_path=tmp_path, DJANGO_SETTINGS_MODULE="digitsite.settings", **PRODUCTION
    )

    assert result.returncode == 0, result.stderr
    assert "Nothing can be read yet: no such table" in result.stderr


def test_the_log_goes_to_standard_error_from_the_level_on_that_is_set(tmp_path: Path) -> None:
    program = (
        "import django, logging; django.setup(); log = logging.getLogger('recognition'); "
        "log.warning('not this'); log.error('but this')"
    )

    result = python(
        "-c", program, tmp_path=tmp_path, DJANGO_SETTINGS_MODULE="digitsite.settings",
        LOG_LEVEL="error", **PRODUCTION,
    )  # fmt: skip

    assert result.stdout == ""
    assert result.stderr.endswith("ERROR recognition: but this\n")
    assert "not this" not in result.stderr
