"""Options that several commands have."""

from __future__ import annotations

import argparse
import os


def add_data_dir(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Let a command be told where the data sets lie; an empty variable is one that is not set."""
    parser.add_argument(
        "--data-dir",
        type=_path,
        default=os.environ.get("DIGITS_DATA_DIR") or None,
        help=f"where the data sets lie (default: the environment variable DIGITS_DATA_DIR{more})",
    )


def _path(text: str) -> str:
    if not text:
        message = "The path is empty: is a variable not set? This folder is '.'."
        raise argparse.ArgumentTypeError(message)
    return text
