"""Settings from environment variables; a value that makes no sense stops the start."""

from __future__ import annotations

import importlib.util
import os
import secrets
import zoneinfo
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}

NO_MYSQL_DRIVER = (
    "DATABASE_URL names a MySQL database and the Python package mysqlclient is not installed. "
    "It is compiled, so install what it needs first "
    "(Debian, Ubuntu: apt install gcc python3-dev default-libmysqlclient-dev pkg-config; "
    "Fedora: dnf install gcc python3-devel mariadb-connector-c-devel pkgconf), "
    "then run: python -m pip install -r requirements/mysql.txt"
)


def load_file(path: Path) -> None:
    """Take the variables of a `.env` file over, without replacing what is set already.

    `ENV_FILE` names another file. Lines are `NAME=value`; `#` starts a comment line; one pair
    of quotes around the value is dropped.

    Raises:
        ImproperlyConfigured: a line is none of these, or the file cannot be read, or the named
            file is not there.
    """
    named = os.environ.get("ENV_FILE")
    path = Path(named or path)
    try:
        if named and (path.is_dir() or not path.exists()):
            raise ImproperlyConfigured(f"ENV_FILE names {named}, and no file is there.")
        text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} cannot be read: {error.strerror}. It must be readable for the user that runs "
            "the site."
        ) from error
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(f"{path} is not text in UTF-8. Save it as that.") from error
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name.isidentifier():
            raise ImproperlyConfigured(f"{path}, line {number}: expected NAME=value.")
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        os.environ.setdefault(name, value)


def text(name: str, default: str = "") -> str:
    """An empty variable is an unset one: `.env` files keep empty lines for what they offer."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be 1 or 0.")
    return value in TRUE


def number(name: str, default: int, *, least: int = 0) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isdecimal() or int(value) < least:
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be a whole number from {least} up."
        )
    return int(value)


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A list separated by commas."""
    found = [word.strip() for word in text(name).split(",") if word.strip()]
    return found or list(default)


def hosts(name: str, default: tuple[str, ...]) -> list[str]:
    """Names of hosts, without what stands around them in an address."""
    found = words(name, default)
    for host in found:
        if "/" in host or (":" in host and not host.startswith("[")):
            raise ImproperlyConfigured(
                f"{name} holds {host!r}; give the host's name alone, such as digits.example.org."
            )
    return found


def origins(name: str) -> list[str]:
    """Addresses of sites, without a path."""
    found = words(name)
    for origin in found:
        scheme, _, host = origin.partition("://")
        if scheme not in {"http", "https"} or not host or "/" in host:
            raise ImproperlyConfigured(
                f"{name} holds {origin!r}; write https:// (or http://) before the host's name and "
                "no slash behind it, such as https://digits.example.org."
            )
    return found


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be the name of a time zone, such as Europe/Rome."
        ) from error
    return value


def choice(name: str, options: tuple[str, ...], default: str) -> str:
    value = text(name, default).upper()
    if value not in options:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of {', '.join(options)}.")
    return value


def folder(name: str, default: Path) -> Path:
    """A place for files, which need not be there yet."""
    value = text(name, str(default))
    try:
        path = Path(value).expanduser().resolve()
        there = next((place for place in (path, *path.parents) if place.exists()), path)
    except (OSError, RuntimeError) as error:  # the latter of ~ and a name that nobody has
        why = error.strerror if isinstance(error, OSError) else error
        raise ImproperlyConfigured(f"{name} is {value}, which is no use: {why}") from error
    if not there.is_dir():
        raise ImproperlyConfigured(f"{name} is {path}, and {there} is no folder.")
    return path


def secret_key(name: str, *, debug: bool, kept_in: Path) -> str:
    """The key that signs cookies; only a development server makes its own, and keeps it."""
    given = text(name)
    if given:
        return given
    if not debug:
        raise ImproperlyConfigured(
            f"{name} is not set. A server needs one, long, random and secret: "
            'python -c "import secrets; print(secrets.token_urlsafe(50))". '
            "To try the site on your own machine, set DEBUG=1 instead."
        )
    if not kept_in.exists():
        kept_in.parent.mkdir(parents=True, exist_ok=True)
        draft = kept_in.with_name(f".{kept_in.name}-{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50), encoding="ascii")
        draft.replace(kept_in)
    return kept_in.read_text(encoding="ascii").strip()


def database(name: str, default: Path) -> dict[str, Any]:
    """Django's entry for a database URL, with what makes each engine dependable.

    Raises:
        ImproperlyConfigured: the URL is not understood or its driver is not installed.
    """
    url = text(name)
    if not url:
        return _sqlite({"NAME": default})
    if not url.startswith(("sqlite://", "mysql://")):
        raise ImproperlyConfigured(
            f"{name} must start with sqlite:// or mysql://, which is for MariaDB too."
        )
    try:
        entry = dict(dj_database_url.parse(url, conn_max_age=600, conn_health_checks=True))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not understood: {error}") from error
    if entry["ENGINE"] == "django.db.backends.sqlite3":
        try:
            return _sqlite(entry)
        except OSError as error:
            raise ImproperlyConfigured(f"{name} names a place that is no use: {error}") from error
    return _mysql(entry)


def _sqlite(entry: dict[str, Any]) -> dict[str, Any]:
    if str(entry["NAME"]) != ":memory:":
        Path(entry["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    return {
        **entry,
        "ENGINE": "digitsite.sqlite",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "timeout": 20,  # seconds to wait for another writer
            "transaction_mode": "IMMEDIATE",  # a read that turns into a write never deadlocks
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
        },
    }


def _mysql(entry: dict[str, Any]) -> dict[str, Any]:
    if importlib.util.find_spec("MySQLdb") is None:
        raise ImproperlyConfigured(NO_MYSQL_DRIVER)
    return {
        **entry,
        "OPTIONS": {
            **entry.get("OPTIONS", {}),
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "init_command": "SET sql_mode = 'STRICT_TRANS_TABLES'",
        },
        # The usual collations of MySQL hold 1, १ and ௧ for equal; this one does not.
        "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_general_ci"},
    }
