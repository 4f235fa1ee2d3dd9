"""The folder of data sets that commands are told of."""

from __future__ import annotations

import importlib

import pytest
from django.core.management import CommandError, call_command

COMMANDS = {
    "train_model": (),
    "evaluate_model": (),
    "compare_models": ("latin-30",),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_data_folder_is_not_the_one_that_one_stands_in(command: str) -> None:
    with pytest.raises(CommandError, match="--data-dir: The path is empty"):
        call_command(command, *COMMANDS[command], "--data-dir", "")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("variable", "folder"), [("", None), ("data", "data")])
def test_an_empty_variable_names_no_data_folder(
    command: str, variable: str, folder: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_DATA_DIR", variable)
    module = importlib.import_module(f"recognition.management.commands.{command}")

    parser = module.Command().create_parser("manage.py", command)

    assert parser.parse_args(COMMANDS[command]).data_dir == folder
