from __future__ import annotations

import errno
import importlib.util
import os
import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from digitsite import env


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test puts into the environment goes with the test."""
    monkeypatch.setattr(os, "environ", {})


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / ".env"
    path.write_text(text, encoding="utf-8")
    env.load_file(path)


def test_a_file_sets_what_is_not_set(tmp_path: Path) -> None:
    os.environ["ONE"] = "mine"

    load(tmp_path, '# comment\n\nONE=1\n TWO = two words \nTHREE="a=b # c"\n')

    assert os.environ["ONE"] == "mine"
    assert os.environ["TWO"] == "two words"
    assert os.environ["THREE"] == "a=b # c"


def test_a_file_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    before = dict(os.environ)

    env.load_file(tmp_path / ".env")

    assert os.environ == before


def test_a_line_that_is_no_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="line 2: expected NAME=value"):
        load(tmp_path, "ONE=1\nexport TWO=2\n")


def test_another_file_can_be_named(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("ONE=other", encoding="utf-8")
    os.environ["ENV_FILE"] = str(other)

    load(tmp_path, "ONE=1")

    assert os.environ["ONE"] == "other"


def test_a_named_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    os.environ["ENV_FILE"] = str(tmp_path / "nothing")

    with pytest.raises(ImproperlyConfigured, match=r"ENV_FILE names .*nothing"):
        load(tmp_path, "ONE=1")


@pytest.mark.parametrize("method", ["is_file", "read_text"])
def test_a_file_that_may_not_be_read_stops_the_start(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, encoding: str = "") -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, method, refuse)
    (tmp_path / ".env").touch()

    with pytest.raises(ImproperlyConfigured, match=r"\.env cannot be read: Permission denied\."):
        env.load_file(tmp_path / ".env")


@pytest.mark.parametrize("value", ["0", "-1", "two"])
def test_a_number_below_the_least_is_refused(value: str) -> None:
    os.environ["WORKERS"] = value

    with pytest.raises(ImproperlyConfigured, match=r"WORKERS is .* from 1 up"):
        env.number("WORKERS", 2, least=1)


@pytest.mark.parametrize("value", ["https://a.example", "a.example/", "a.example:8000", "a, b/c"])
def test_an_address_is_no_host(value: str) -> None:
    os.environ["HOSTS"] = value

    with pytest.raises(ImproperlyConfigured, match="the host's name alone"):
        env.hosts("HOSTS", ())


def test_hosts_may_be_names_patterns_and_numbers() -> None:
    os.environ["HOSTS"] = "a.example, .b.example, *, 127.0.0.1, [::1]"

    assert len(env.hosts("HOSTS", ())) == 5


@pytest.mark.parametrize("value", ["Mars/X", "../etc", "/etc/passwd"])
def test_a_time_zone_that_is_none_is_named(value: str) -> None:
    os.environ["ZONE"] = value

    with pytest.raises(ImproperlyConfigured, match="ZONE is"):
        env.time_zone("ZONE", "UTC")


def test_a_database_in_an_impossible_place_is_named() -> None:
    os.environ["DATABASE_URL"] = "sqlite:////dev/null/x/db.sqlite3"

    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL names"):
        env.database("DATABASE_URL", Path("unused"))


def test_an_empty_variable_is_the_default() -> None:
    os.environ["NAME"] = ""

    assert env.text("NAME", "default") == "default"
    assert env.flag("NAME", default=True) is True
    assert env.number("NAME", 7) == 7
    assert env.words("NAME", default=("a",)) == ["a"]
    assert env.choice("NAME", ("A", "B"), "A") == "A"


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("Yes", True), ("off", False)])
def test_a_flag_has_words_for_on_and_off(value: str, expected: bool) -> None:
    os.environ["NAME"] = value

    assert env.flag("NAME", default=not expected) is expected


def test_what_makes_no_sense_is_an_error_that_names_the_variable() -> None:
    os.environ["NAME"] = "maybe"

    with pytest.raises(ImproperlyConfigured, match="NAME is 'maybe'"):
        env.flag("NAME", default=False)
    with pytest.raises(ImproperlyConfigured, match="NAME is 'maybe'"):
        env.number("NAME", 1)
    with pytest.raises(ImproperlyConfigured, match="must be one of A, B"):
        env.choice("NAME", ("A", "B"), "A")
    with pytest.raises(ImproperlyConfigured, match="NAME"):
        env.database("NAME", Path("unused"))


def test_a_list_is_separated_by_commas() -> None:
    os.environ["NAME"] = " a.example, ,b.example "

    assert env.words("NAME") == ["a.example", "b.example"]


def test_a_server_without_a_secret_key_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is not set"):
        env.secret_key("SECRET_KEY", debug=False, kept_in=tmp_path / "key")

    assert not (tmp_path / "key").exists()


def test_a_development_server_keeps_the_key_it_makes(tmp_path: Path) -> None:
    path = tmp_path / "var" / "key"

    first = env.secret_key("SECRET_KEY", debug=True, kept_in=path)
    second = env.secret_key("SECRET_KEY", debug=True, kept_in=path)

    assert first == second
    assert len(first) >= 50
    assert list(path.parent.iterdir()) == [path]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_sqlite_waits_for_writers_and_its_folder_is_made(tmp_path: Path) -> None:
    entry = env.database("DATABASE_URL", tmp_path / "var" / "db.sqlite3")

    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert (tmp_path / "var").is_dir()


def test_mysql_is_strict_and_knows_every_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    os.environ["DATABASE_URL"] = "mysql://user:p%40ss@db.example:3307/digits?unix_socket=/x"

    entry = env.database("DATABASE_URL", Path("unused"))

    assert (entry["USER"], entry["PASSWORD"], entry["PORT"]) == ("user", "p@ss", 3307)
    assert entry["CONN_HEALTH_CHECKS"] is True
    assert entry["OPTIONS"] == {
        "unix_socket": "/x",
        "charset": "utf8mb4",
        "isolation_level": "read committed",
        "init_command": "SET sql_mode = 'STRICT_TRANS_TABLES'",
    }


def test_a_missing_mysql_driver_is_named_with_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    os.environ["DATABASE_URL"] = "mysql://user@localhost/digits"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ImproperlyConfigured) as error:
        env.database("DATABASE_URL", Path("unused"))

    assert "default-libmysqlclient-dev" in str(error.value)
    assert "requirements/mysql.txt" in str(error.value)


@pytest.mark.parametrize("scheme", ["postgres", "mariadb"])
def test_other_databases_are_refused(scheme: str) -> None:
    os.environ["DATABASE_URL"] = f"{scheme}://user@localhost/digits"

    with pytest.raises(ImproperlyConfigured, match="sqlite:// or mysql://"):
        env.database("DATABASE_URL", Path("unused"))


@pytest.mark.parametrize(
    "origin", ["digits.example.org", "ftp://a.example", "https://", "https://a/b", "https://a/"]
)
def test_an_origin_without_its_scheme_or_with_a_path_stops_the_start(origin: str) -> None:
    os.environ["CSRF_TRUSTED_ORIGINS"] = f"https://fine.example:8443,{origin}"

    with pytest.raises(ImproperlyConfigured, match=f"CSRF_TRUSTED_ORIGINS .*'{origin}'.*no slash"):
        env.origins("CSRF_TRUSTED_ORIGINS")


def test_origins_are_a_list() -> None:
    os.environ["CSRF_TRUSTED_ORIGINS"] = "https://one.example, http://two.example:8000"

    found = env.origins("CSRF_TRUSTED_ORIGINS")

    assert found == ["https://one.example", "http://two.example:8000"]


def test_a_file_that_is_not_utf_8_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=\xe9\xff\n")

    with pytest.raises(ImproperlyConfigured, match=r"\.env is not text in UTF-8"):
        env.load_file(tmp_path / ".env")


def test_a_folder_named_as_the_file_stops_the_start(tmp_path: Path) -> None:
    os.environ["ENV_FILE"] = str(tmp_path)

    with pytest.raises(ImproperlyConfigured, match="ENV_FILE names"):
        env.load_file(tmp_path / ".env")


@pytest.mark.parametrize("place", ["file", "file/below", "file/further/below"])
def test_a_file_in_the_place_of_a_folder_stops_the_start(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.environ["CACHE_ROOT"] = str(tmp_path / place)

    with pytest.raises(ImproperlyConfigured, match=r"CACHE_ROOT is .*file is no folder"):
        env.folder("CACHE_ROOT", tmp_path)


def test_a_folder_need_not_be_there_yet(tmp_path: Path) -> None:
    os.environ["CACHE_ROOT"] = str(tmp_path / "new" / "cache")

    assert env.folder("CACHE_ROOT", tmp_path) == (tmp_path / "new" / "cache").resolve()


def test_a_folder_that_may_not_be_looked_at_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", refuse)

    with pytest.raises(ImproperlyConfigured, match=r"MODEL_ROOT is .*: Permission denied"):
        env.folder("MODEL_ROOT", tmp_path)


def test_a_home_that_nobody_has_stops_the_start(tmp_path: Path) -> None:
    os.environ["MODEL_ROOT"] = "~nobody-has-this-name/models"

    with pytest.raises(ImproperlyConfigured, match="MODEL_ROOT is ~nobody-has-this-name"):
        env.folder("MODEL_ROOT", tmp_path)
