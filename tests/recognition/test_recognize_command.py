from __future__ import annotations

import csv
import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from ml import batch
from ml.recognizer import Recognizer
from recognition import recognizers
from recognition.management.commands import recognize
from recognition.models import Prediction, TrainedModel

Drawn = Callable[..., bytes]


@pytest.fixture
def folder(tmp_path: Path, drawn: Drawn) -> Path:
    """Two digits, a file that is no picture, and one that does not claim to be one."""
    folder = tmp_path / "scans"
    (folder / "more").mkdir(parents=True)
    (folder / "a3.png").write_bytes(drawn(3))
    (folder / "b.png").write_bytes(b"no picture")
    (folder / "more" / "c8.PNG").write_bytes(drawn(8))
    (folder / "notes.txt").write_text("not looked at")
    return folder


def run(*args: str, capsys: pytest.CaptureFixture[str]) -> str:
    call_command("recognize", *args)
    return capsys.readouterr().out


def test_csv_has_a_line_for_each_picture_of_a_folder_and_goes_on_after_a_bad_file(
    digit_model: TrainedModel, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run(str(folder), "--format", "csv", capsys=capsys)

    rows = list(csv.DictReader(io.StringIO(out)))
    assert out.splitlines()[0] == "file,text,confidence,verdict,reason"
    assert [(Path(row["file"]).name, row["text"], row["verdict"]) for row in rows] == [
        ("a3.png", "3", "accepted"),
        ("b.png", "", "error"),
        ("c8.PNG", "8", "accepted"),
    ]
    assert (rows[1]["confidence"], rows[1]["reason"]) == ("", "not_an_image")
    assert 0.9 < float(rows[0]["confidence"]) <= 1.0


def test_json_is_one_object_a_line(
    digit_model: TrainedModel, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run(str(folder), "--format", "json", capsys=capsys)

    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["text"] for row in rows] == ["3", "", "8"]
    assert rows[1]["confidence"] is None
    assert list(rows[0]) == ["file", "text", "confidence", "verdict", "reason"]


def test_the_table_has_a_line_for_each_file(
    digit_model: TrainedModel, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = run(str(folder), capsys=capsys).splitlines()

    assert [line.split()[-1] for line in lines] == [
        "reason",
        "accepted",
        "not_an_image",
        "accepted",
    ]
    assert "%" in lines[1]


def test_each_reading_is_kept_with_its_picture(digit_model: TrainedModel, folder: Path) -> None:
    call_command("recognize", str(folder), stdout=io.StringIO(), stderr=io.StringIO())

    kept = Prediction.objects.order_by("pk")
    assert [(p.text, p.source, p.model) for p in kept] == [
        ("3", "command", digit_model),
        ("8", "command", digit_model),
    ]
    assert all(storages["pictures"].exists(str(p.picture.name)) for p in kept)


def test_no_save_keeps_nothing(digit_model: TrainedModel, folder: Path, media: Path) -> None:
    call_command("recognize", str(folder), save=False, stdout=io.StringIO(), stderr=io.StringIO())

    assert not Prediction.objects.exists()
    assert not (media / "pictures").exists()


def test_a_minus_stands_for_paths_on_standard_input(
    digit_model: TrainedModel,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = f"{folder / 'a3.png'}\n\n{folder / 'more'}\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(paths.encode())))

    out = run("-", "--format", "csv", "--no-save", capsys=capsys)

    assert [row["text"] for row in csv.DictReader(io.StringIO(out))] == ["3", "8"]


def test_a_name_that_is_no_text_ends_no_standard_input(
    digit_model: TrainedModel,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = b"caf\xe9.png\n" + os.fsencode(folder / "a3.png")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(paths), encoding="utf-8"))

    out = run("-", "--format", "csv", "--no-save", capsys=capsys)

    lines = out.splitlines()
    assert lines[1] == "caf\\xe9.png,,,error,not_found"
    assert ",3," in lines[2]


def test_a_name_that_is_too_long_has_its_line(
    digit_model: TrainedModel, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = 300 * "x"

    out = run(long, str(folder / "a3.png"), "--format", "csv", "--no-save", capsys=capsys)

    assert out.splitlines()[1] == f"{long},,,error,unreadable"
    assert ",3," in out.splitlines()[2]


def test_folders_that_are_not_entered_have_their_lines(
    digit_model: TrainedModel,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed, link, scan = folder / "closed", folder / "link", os.scandir
    closed.mkdir()
    link.symlink_to(folder, target_is_directory=True)

    def refuse(path: str) -> object:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)

    out = run(str(folder), "--format", "csv", "--no-save", capsys=capsys)

    assert f"{closed},,,error,unreadable" in out.splitlines()
    assert f"{link},,,error,unreadable" in out.splitlines()
    assert out.count(",3,") == 1
    assert ",8," in out


def test_what_is_not_there_has_its_line(
    digit_model: TrainedModel, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run("nowhere.png", str(folder / "a3.png"), "--format", "csv", capsys=capsys)

    assert out.splitlines()[1] == "nowhere.png,,,error,not_found"


def test_the_command_fails_when_nothing_could_be_read(
    digit_model: TrainedModel, folder: Path
) -> None:
    with pytest.raises(CommandError, match="No file could be read"):
        call_command("recognize", str(folder / "b.png"), stdout=io.StringIO())


def test_an_empty_path_does_not_stand_for_the_folder_one_is_in(
    digit_model: TrainedModel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)

    with pytest.raises(CommandError, match="A path is empty"):
        call_command("recognize", "a3.png", "", stdout=io.StringIO())

    assert not Prediction.objects.exists()


def test_the_command_fails_in_a_folder_without_pictures(
    digit_model: TrainedModel, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="No pictures in"):
        call_command("recognize", str(tmp_path), stdout=io.StringIO())


def test_a_missing_model_is_said_with_what_to_do(db: None, folder: Path) -> None:
    with pytest.raises(CommandError, match="install_pretrained"):
        call_command("recognize", str(folder), stdout=io.StringIO())


def test_where_no_model_ships_it_is_not_said_to_install_one(
    digit_model: TrainedModel, make_model: Callable[..., TrainedModel], folder: Path
) -> None:
    with pytest.raises(CommandError, match=r"None comes with the program\. Train one"):
        call_command("recognize", str(folder), script="tamil", stdout=io.StringIO())

    make_model(script="tamil", version="tamil-1")
    with pytest.raises(CommandError, match="activate_model tamil-1"):
        call_command("recognize", str(folder), script="tamil", stdout=io.StringIO())


def test_a_file_name_cannot_disturb_the_terminal_and_is_the_same_for_programs(
    digit_model: TrainedModel,
    drawn: Drawn,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "=1+1.png").write_bytes(drawn(1))
    (tmp_path / "red\x1b[31m.png").write_bytes(drawn(1))

    table = run("=1+1.png", "red\x1b[31m.png", "--format", "csv", capsys=capsys)
    shown = run("red\x1b[31m.png", capsys=capsys)

    assert [line.split(",")[0] for line in table.splitlines()[1:]] == [
        "=1+1.png",
        "red\x1b[31m.png",
    ]
    assert "\x1b" not in shown


@pytest.mark.parametrize("format", ["csv", "json"])
def test_names_come_back_as_they_were_given(
    format: str,
    digit_model: TrainedModel,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    names = ["./a3.png", "more//c8.PNG", f"{folder}/./a3.png", "./nowhere.png"]

    out = run(*names, ".", "more/", "--format", format, "--no-save", capsys=capsys)

    read = (
        csv.DictReader(io.StringIO(out)) if format == "csv" else map(json.loads, out.splitlines())
    )
    inside = ["./a3.png", "./b.png", "./more/c8.PNG", "more/c8.PNG"]
    assert [row["file"] for row in read] == names + inside


def test_several_processes_read_the_same_in_the_same_order(
    digit_model: TrainedModel, drawn: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "ALONE", 4)
    monkeypatch.setattr(batch, "CHUNK", 3)
    files = [tmp_path / f"{number}.png" for number in range(20)]
    for number, file in enumerate(files):
        file.write_bytes(drawn(number % 10, seed=number, size=(80, 80), width=5))
    files[7].write_bytes(b"")
    paths = [str(file) for file in files]

    results = [
        [r for chunk in batch.read_files(digit_model.directory, paths, workers=n, keep=False)
         for r in chunk]
        for n in (1, 2)
    ]  # fmt: skip

    one, two = ([(r.path, r.reading and r.reading.text, r.error) for r in rs] for rs in results)
    assert one == two
    assert [path for path, _, _ in one] == paths
    assert one[7] == (paths[7], None, "empty")


def test_no_picture_stays_when_its_record_cannot_be_written(
    digit_model: TrainedModel, folder: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Prediction.objects, "bulk_create", fail)

    with pytest.raises(RuntimeError):
        call_command("recognize", str(folder), stdout=io.StringIO())

    assert not [path for path in (media / "pictures").rglob("*") if path.is_file()]


def test_who_stops_it_keeps_what_was_told(
    digit_model: TrainedModel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_at_the_last(result: batch.FileReading, format: str) -> str:
        if result.path.endswith("c8.PNG"):
            raise KeyboardInterrupt
        return ""

    monkeypatch.setattr(recognize, "_line", stop_at_the_last)

    with pytest.raises(CommandError, match=r"^Stopped\.$") as caught:
        call_command("recognize", str(folder), stdout=io.StringIO())

    assert caught.value.returncode == 130
    assert Prediction.objects.count() == 2


def test_a_database_that_does_not_say_which_model_reads_is_told_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr(recognizers, "active", fail)

    with pytest.raises(CommandError, match=r"does not say which model reads: no such table\."):
        call_command("recognize", str(folder), save=False)


def test_a_database_that_takes_no_record_is_told_in_words(
    digit_model: TrainedModel, folder: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError("the server has gone away")

    monkeypatch.setattr(Prediction.objects, "bulk_create", fail)

    with pytest.raises(CommandError, match="did not take a record: the server has gone away"):
        call_command("recognize", str(folder), stdout=io.StringIO())

    assert not [path for path in (media / "pictures").rglob("*") if path.is_file()]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_has_grown_old_is_opened_anew(
    digit_model: TrainedModel, folder: Path
) -> None:
    old = connection.connection
    connection.close_at = 0.0  # as after CONN_MAX_AGE, when Django closes it between requests

    call_command("recognize", str(folder), stdout=io.StringIO(), stderr=io.StringIO())

    assert connection.connection is not old
    assert Prediction.objects.count() == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_among_the_files_is_not_waited_for(
    tmp_path: Path, digit_model: TrainedModel
) -> None:
    os.mkfifo(tmp_path / "pipe.png")

    reading = batch.read_file(
        Recognizer.load(digit_model.directory), str(tmp_path / "pipe.png"), keep=False
    )

    assert reading.error == "unreadable"
