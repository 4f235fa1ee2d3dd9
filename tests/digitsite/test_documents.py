"""What the documents promise is what the program does."""

from __future__ import annotations

import ast
import contextlib
import itertools
import re
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.db.models import UUIDField

from ml import datasets
from recognition.management.commands.evaluate_model import FULL
from tests.conftest import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/api.md", "docs/mysql.md", "docs/deployment.md")
BLOCK = re.compile(r"^```(?:sh|bat)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(document: str) -> Iterator[list[str]]:
    for block in BLOCK.findall((ROOT / document).read_text(encoding="utf-8")):
        for line in block.replace("\\python", "/python").replace(".venv\\", ".venv/").splitlines():
            for part in re.split(r"\s\|\s|&&", line):
                words = shlex.split(part)
                while words and re.fullmatch(r"\w+=.*", words[0]):
                    words.pop(0)
                if words:
                    yield words


ALL = [(document, words) for document in DOCUMENTS for words in commands(document)]
MANAGE = [(d, words[words.index("manage.py") + 1 :]) for d, words in ALL if "manage.py" in words]
MAKE = [(d, words[1:]) for d, words in ALL if words[0] == "make"]
FILES = [(d, words[words.index("-r") + 1]) for d, words in ALL if "-r" in words]


def name(case: tuple[str, list[str] | str]) -> str:
    return " ".join([case[0], *([case[1]] if isinstance(case[1], str) else case[1])])


@pytest.mark.parametrize("case", MANAGE, ids=name)
def test_every_documented_command_parses(case: tuple[str, list[str]]) -> None:
    command, *arguments = case[1]
    parser = load_command_class(get_commands()[command], command).create_parser("m", command)

    if "--help" not in arguments:
        parser.parse_args(arguments)

    assert parser.prog.endswith(command)


@pytest.mark.parametrize("document", ["README.md", "docs/deployment.md"])
def test_a_copied_example_of_settings_gets_its_key_before_anything_is_started(
    document: str,
) -> None:
    lines = [" ".join(words) for words in commands(document)]
    copied = [n for n, line in enumerate(lines) if re.match(r"cp \S*\.env\.example ", line)]

    assert copied
    assert all("secrets.token_urlsafe" in lines[n + 1] for n in copied)


@pytest.mark.parametrize("document", ["README.md", "docs/mysql.md", "docs/deployment.md"])
def test_the_shipped_model_is_installed_wherever_tables_are_made(document: str) -> None:
    names = [words[0] for d, words in MANAGE if d == document]
    after = {then for name, then in itertools.pairwise(names) if name == "migrate"}

    assert after == {"install_pretrained"}


@pytest.mark.parametrize("case", MAKE, ids=name)
def test_every_documented_target_is_in_the_makefile(case: tuple[str, list[str]]) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)

    assert case[1][0] in targets


@pytest.mark.parametrize("case", FILES, ids=name)
def test_every_documented_requirements_file_is_there(case: tuple[str, str]) -> None:
    assert (ROOT / case[1]).is_file()


def test_the_readme_names_every_command_of_the_site() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    folder = ROOT / "recognition" / "management" / "commands"
    described = {path.stem for path in folder.glob("[a-z]*.py")}

    assert {command for command in described if command not in readme} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_in_a_document_leads_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / document).parent / target).exists(), target


def test_the_example_of_settings_names_exactly_the_variables_that_are_read() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    offered = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    read = {variable for path in _sources() for variable in _variables(path)}

    # These two say where to look for the settings, so they cannot stand in the file.
    assert offered == read - {"ENV_FILE", "DJANGO_SETTINGS_MODULE"}


def test_a_file_of_settings_under_another_name_is_described() -> None:
    for document in (".env.example", "docs/deployment.md"):
        assert "ENV_FILE" in (ROOT / document).read_text(encoding="utf-8"), document


def test_the_example_of_settings_changes_no_default() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    values = re.findall(r"^[A-Z_]+=(.*)$", example, re.MULTILINE)

    assert set(values) <= {"", "0"}


def test_every_column_of_ids_is_converted_for_a_newer_mariadb() -> None:
    guide = (ROOT / "docs" / "mysql.md").read_text(encoding="utf-8")
    table, changes = re.findall(r"ALTER TABLE (\w+)\n(.*?);", guide, re.DOTALL)[0]
    converted = re.findall(r"MODIFY (\w+) uuid (NOT NULL|DEFAULT NULL)", changes)

    fields = [field for model in apps.get_models() for field in model._meta.local_fields]
    ids = [field for field in fields if isinstance(field, UUIDField)]
    assert {field.model._meta.db_table for field in ids} == {table}
    assert converted == [
        (field.column, "DEFAULT NULL" if field.null else "NOT NULL") for field in ids
    ]


def test_a_restored_sqlite_file_holds_nothing_of_the_database_before_it(tmp_path: Path) -> None:
    lines = list(commands("docs/deployment.md"))
    start = next(n for n, words in enumerate(lines) if words[:2] == ["rm", "--force"])
    before, after, copy = (tmp_path / name for name in ("before.sqlite3", "var", "copy.sqlite3"))
    after.mkdir()
    with contextlib.closing(sqlite3.connect(before, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE records (text)")
        with contextlib.closing(sqlite3.connect(copy)) as saved:
            database.backup(saved)
        database.execute("INSERT INTO records VALUES ('7')")
        for suffix in ("", "-wal", "-shm"):  # as a crash leaves them
            shutil.copy(f"{before}{suffix}", after / f"db.sqlite3{suffix}")

    for words in lines[start : start + 2]:
        ours = [word for word in words if not word.startswith(("--owner", "--group"))]
        subprocess.run(ours, cwd=tmp_path, check=True)

    with contextlib.closing(sqlite3.connect(after / "db.sqlite3")) as database:
        assert database.execute("SELECT * FROM records").fetchall() == []


def test_requirements_are_pinned() -> None:
    for path in [ROOT / "requirements.txt", *(ROOT / "requirements").glob("*.txt")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = line.partition("#")[0].strip()
            assert not entry or entry.startswith("-r ") or re.fullmatch(r"[\w-]+==[\w.]+", entry)


def test_a_web_server_gets_no_training_libraries() -> None:
    serve = (ROOT / "requirements" / "serve.txt").read_text(encoding="utf-8").lower()

    assert not re.findall(r"^(tensorflow|keras|matplotlib|torch)", serve, re.MULTILINE)


def _sources() -> Iterator[Path]:
    for package in ("digitsite", "ml", "recognition"):
        yield from (ROOT / package).rglob("*.py")


def _variables(path: Path) -> Iterator[str]:
    """Names given as text to `env.*()` and `os.environ.get()`, or asked as `os.environ[...]`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        called = ast.unparse(node.func)
        if called == "os.environ.get" or (called.startswith("env.") and called != "env.load_file"):
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)


def test_every_data_set_is_explained() -> None:
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(datasets.LOADERS)
    assert all(f"`{name}`" in text.split("evaluate_model --full")[1] for name in FULL)
