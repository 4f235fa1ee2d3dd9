"""The container files cannot be run everywhere; here they are read."""

from __future__ import annotations

import re
import runpy
import shlex
import string
import subprocess
import tomllib
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import urlsplit

import pytest
import yaml

from tests.conftest import ROOT

DEPLOY = ROOT / "docs" / "deploy"
INSTRUCTIONS = {
    "FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD",
}  # fmt: skip
SET_BY_THE_IMAGE = {"BIND", "CACHE_ROOT", "MODEL_ROOT", "PICTURE_ROOT", "STATIC_ROOT"}


@pytest.fixture
def dockerfile() -> list[list[str]]:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [line.split(maxsplit=1) for line in lines]


@pytest.fixture
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def test_the_dockerfile_has_known_instructions_only(dockerfile: list[list[str]]) -> None:
    assert {instruction for instruction, _ in dockerfile} == INSTRUCTIONS
    assert dockerfile[0][0] == "FROM"


def test_the_container_runs_as_nobody_special(dockerfile: list[list[str]]) -> None:
    users = [rest for instruction, rest in dockerfile if instruction == "USER"]

    assert users == ["digits"]


def test_the_dockerfile_copies_files_that_are_there(dockerfile: list[list[str]]) -> None:
    copied = [rest.split() for instruction, rest in dockerfile if instruction == "COPY"]
    sources = [source for words in copied if "--from" not in words[0] for source in words[:-1]]

    assert sources
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_has_no_secrets_and_no_leftovers() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()

    assert {"**/.env", "**/*.sqlite3", "**/var", ".git", ".venv"} <= set(ignored)


def test_the_container_starts_the_documented_server(dockerfile: list[list[str]]) -> None:
    command = next(rest for instruction, rest in dockerfile if instruction == "CMD")
    guide = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")

    assert shlex.join(yaml.safe_load(command)) in guide


def test_the_compose_file_waits_for_the_database(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert set(services) == {"database", "setup", "site"}
    assert services["setup"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in services["database"]
    assert services["site"]["depends_on"]["setup"]["condition"] == "service_completed_successfully"


def test_the_compose_file_keeps_its_data_in_volumes(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in compose["volumes"]


def test_the_compose_file_gives_the_site_variables_that_it_reads(compose: dict[str, Any]) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    offered = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))

    given = set(compose["services"]["site"]["environment"])
    assert given <= offered
    assert offered - given == {"DEBUG", "DIGITS_DATA_DIR"} | SET_BY_THE_IMAGE


def test_the_compose_file_builds_from_the_top_folder(compose: dict[str, Any]) -> None:
    build = compose["services"]["site"]["build"]

    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()


def test_the_compose_file_publishes_to_this_machine_only(compose: dict[str, Any]) -> None:
    assert compose["services"]["site"]["ports"] == ["127.0.0.1:${PORT:-8000}:8000"]


def test_the_compose_file_has_no_password_in_it(compose: dict[str, Any]) -> None:
    database = compose["services"]["database"]["environment"]

    assert database["MARIADB_PASSWORD"].startswith("${DATABASE_PASSWORD:?")
    assert compose["services"]["site"]["environment"]["SECRET_KEY"].startswith("${SECRET_KEY:?")


def test_database_and_site_are_told_the_same_password_and_which_characters_it_may_have(
    compose: dict[str, Any],
) -> None:
    allowed = "letters, digits, - and _"
    password = f"{string.ascii_letters}{string.digits}-_"
    asked = re.compile(r"\$\{DATABASE_PASSWORD:\?([^}]*)\}")
    services = compose["services"]
    raw = services["database"]["environment"]["MARIADB_PASSWORD"]
    address = services["site"]["environment"]["DATABASE_URL"]

    assert asked.sub(password, raw) == urlsplit(asked.sub(password, address)).password == password
    assert all(allowed in found for found in asked.findall(raw + address))
    assert allowed in (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8").replace("`", "")


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("", "localhost"),
        ("digits.example.org, other", "digits.example.org"),
        ("*", "localhost"),
        (".example.org", "example.org"),
    ],
)
def test_the_check_of_the_container_asks_for_a_host_that_is_allowed(
    allowed: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", allowed)
    monkeypatch.setenv("BIND", "0.0.0.0:8001")
    urlopen = MagicMock()
    monkeypatch.setattr("urllib.request.urlopen", urlopen)

    runpy.run_path(str(DEPLOY / "healthcheck.py"))

    request = urlopen.call_args.args[0]
    assert request.full_url == "http://127.0.0.1:8001/healthz"
    assert request.get_header("Host") == host


def test_the_hooks_are_valid_and_call_installed_tools() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entries = [hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]]
    tools = {re.sub(r"^\.venv/bin/(python -m )?", "", entry).split()[0] for entry in entries}
    required = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")

    assert tools == {"ruff", "djade", "djlint", "lint-imports"}
    assert all(tool.replace("lint-imports", "import-linter") in required for tool in tools)


def test_the_continuous_integration_script_is_valid_shell() -> None:
    script = ROOT / ".ci" / "run"

    result = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True)

    assert (result.returncode, result.stderr) == (0, "")
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")


def test_the_project_asks_for_the_python_that_it_is_checked_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["requires-python"] == ">=3.11"
    assert project["tool"]["ruff"]["target-version"] == "py311"
    assert project["tool"]["mypy"]["python_version"] == "3.11"
