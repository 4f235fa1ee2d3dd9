from __future__ import annotations

import os

import pytest

from ml import quiet


def test_what_native_libraries_say_is_dropped_for_a_while(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with quiet.native_libraries():
        os.write(2, b"a greeting")
    os.write(2, b"an error")

    assert capfd.readouterr().err == "an error"


def test_an_error_comes_through_and_the_terminal_is_given_back(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ImportError), quiet.native_libraries():
        raise ImportError

    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
