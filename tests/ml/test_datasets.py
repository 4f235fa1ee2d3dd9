from __future__ import annotations

import contextlib
import gzip
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ml import datasets
from ml.datasets import NOT_A_DIGIT, DatasetError


@pytest.fixture
def arrays() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 255, (1000, 28, 28), np.uint8),
        "y_train": np.arange(1000, dtype=np.uint8) % 10,
        "x_test": rng.integers(0, 255, (50, 28, 28), np.uint8),
        "y_test": np.arange(50, dtype=np.uint8) % 10,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folders 0 to 9 with 30 different pictures each."""
    rng = np.random.default_rng(1)
    for digit in range(10):
        (tmp_path / "mine" / str(digit)).mkdir(parents=True)
        for number in range(30):
            write_picture(tmp_path / "mine" / str(digit) / f"{number:02}.bmp", rng)
    return tmp_path / "mine"


def write_picture(path: Path, rng: np.random.Generator) -> None:
    """In a format whose bytes are the same with every version of every library."""
    Image.fromarray(rng.integers(0, 255, (9, 8), np.uint8)).save(path)


def sides(folder: Path) -> dict[str, set[bytes]]:
    """The pictures of each side."""
    training, validation = datasets.split(datasets.load(str(folder), "train"), 0.1, seed=1)
    parts = (training, validation, datasets.load(str(folder), "test"))
    return {
        name: {picture.tobytes() for picture in part.pictures}
        for name, part in zip(("training", "validation", "test"), parts, strict=True)
    }


def write_idx(path: Path, values: np.ndarray) -> None:
    header = struct.pack(f">{values.ndim + 1}I", 0x0800 + values.ndim, *values.shape)
    data = header + values.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def test_mnist_is_read_from_a_folder(tmp_path: Path, arrays: dict[str, Any]) -> None:
    np.savez(tmp_path / "mnist.npz", **arrays)

    training = datasets.load("mnist", "train", tmp_path)
    testing = datasets.load("mnist", "test", tmp_path)

    assert np.array_equal(np.asarray(training.pictures), arrays["x_train"])
    assert np.array_equal(testing.labels, arrays["y_test"])
    assert training.sha256 == testing.sha256


def test_a_set_in_one_piece_holds_out_whole_blocks(tmp_path: Path, arrays: dict[str, Any]) -> None:
    np.savez(tmp_path / "bhmsds.npz", x_train=arrays["x_train"], y_train=arrays["y_train"])

    training = datasets.load("bhmsds", "train", tmp_path)
    testing = datasets.load("bhmsds", "test", tmp_path)

    assert (len(training), len(testing)) == (800, 200)
    assert not set(training.writers) & set(testing.writers)


def test_folders_of_pictures_are_read(tmp_path: Path) -> None:
    for digit in range(10):
        folder = tmp_path / "mine" / str(digit)
        folder.mkdir(parents=True)
        for number in range(5):
            Image.new("L", (20 + number, 30), 200).save(folder / f"{number}.png")

    training = datasets.load(str(tmp_path / "mine"), "train")
    testing = datasets.load(str(tmp_path / "mine"), "test")

    assert len(training) + len(testing) == 50
    assert set(training.labels) == set(testing.labels) == set(range(10))


def test_a_folder_is_divided_in_the_shares_asked_for(folder: Path) -> None:
    found = sides(folder)

    assert sum(len(side) for side in found.values()) == 300
    assert 40 < len(found["test"]) < 80
    assert 12 < len(found["validation"]) < 36


@pytest.mark.parametrize("name", ["0/a.bmp", "4/12a.bmp", "9/z.bmp"])
def test_a_picture_that_is_added_to_a_folder_leaves_the_others_on_their_sides(
    folder: Path, name: str
) -> None:
    before = sides(folder)

    write_picture(folder / name, np.random.default_rng(2))

    after = sides(folder)
    assert sum(len(side) for side in after.values()) == 301
    assert all(before[side] <= after[side] for side in before)


def test_a_folder_may_grow_from_nothing_and_never_tests_by_what_was_learned(
    tmp_path: Path,
) -> None:
    for digit in range(10):
        (tmp_path / str(digit)).mkdir()
    rng = np.random.default_rng(3)
    learned: set[bytes] = set()
    aside: set[bytes] = set()

    for number in range(60):
        write_picture(tmp_path / str(number % 10) / f"{rng.integers(1000)}-{number}.bmp", rng)
        if number < 15:
            continue
        found = sides(tmp_path)
        learned |= found["training"]
        aside |= found["validation"]
        assert not found["test"] & (learned | aside)
        assert not found["validation"] & learned

    assert len(learned) > 30


def test_pictures_that_are_the_same_are_on_one_side(folder: Path) -> None:
    for path in sorted(folder.glob("?/*.bmp")):
        shutil.copy(path, path.with_name(f"copy-{path.name}"))
        shutil.copy(path, folder / "5" / f"mistaken-{path.parent.name}-{path.name}")

    found = sides(folder)

    assert sum(len(side) for side in found.values()) == 300


def test_a_model_from_before_folders_could_grow_is_warned_of(folder: Path) -> None:
    testing = datasets.load(str(folder), "test")
    then = {"name": str(folder), "sha256": "another"}

    old = list(datasets.divided_otherwise("old-1", [then], [testing]))
    new = list(datasets.divided_otherwise("new-1", [then | {"may_grow": True}], [testing]))
    other = list(datasets.divided_otherwise("other-1", [], [testing]))

    assert len(old) == 1
    assert "when old-1 was trained: it may have learned from some" in old[0]
    assert not new
    assert not other


def test_a_set_whose_files_changed_is_warned_of_where_its_test_part_is_a_share_of_it(
    tmp_path: Path, arrays: dict[str, Any]
) -> None:
    np.savez(tmp_path / "mnist.npz", **arrays)
    np.savez(tmp_path / "bhmsds.npz", x_train=arrays["x_train"], y_train=arrays["y_train"])
    sets = [datasets.load(name, "test", tmp_path) for name in ("mnist", "bhmsds", "drawn_ones")]
    then = [{"name": part.name, "sha256": "another"} for part in sets]

    changed = list(datasets.divided_otherwise("mine-1", then, sets))
    same = datasets.divided_otherwise("mine-1", [vars(part) for part in sets], sets)

    assert [sentence.split()[1] for sentence in changed] == ["bhmsds"]
    assert not list(same)


def test_idx_files_that_have_grown_are_warned_of_where_they_are_divided_by_place(
    tmp_path: Path, arrays: dict[str, Any]
) -> None:
    for part, count in (("train", 900), ("t10k", 50)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", arrays["x_train"][:count])
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", arrays["y_train"][:count])
    before = sides(tmp_path)
    then = [vars(datasets.load(str(tmp_path), "train"))]
    same = list(datasets.divided_otherwise("mine-1", then, [datasets.load(str(tmp_path), "train")]))

    write_idx(tmp_path / "train-images-idx3-ubyte", arrays["x_train"])
    write_idx(tmp_path / "train-labels-idx1-ubyte", arrays["y_train"])
    after = sides(tmp_path)
    parts = [datasets.load(str(tmp_path), part) for part in ("train", "test")]
    told = [list(datasets.divided_otherwise("mine-1", then, [part])) for part in parts]

    assert before["training"] & after["validation"]
    assert before["test"] == after["test"]
    assert same == []
    assert [len(sentences) for sentences in told] == [1, 0]


def test_another_seed_sets_other_pictures_of_a_folder_aside(folder: Path) -> None:
    whole = datasets.load(str(folder), "train")

    one, two, other = (datasets.split(whole, 0.2, seed=seed)[1] for seed in (3, 3, 4))

    assert np.array_equal(one.writers, two.writers)
    assert not np.array_equal(one.writers, other.writers)


def test_the_sets_with_names_are_divided_as_when_the_shipped_model_learned(
    tmp_path: Path, arrays: dict[str, Any]
) -> None:
    np.savez(tmp_path / "bhmsds.npz", x_train=arrays["x_train"], y_train=arrays["y_train"])

    whole = datasets.load("bhmsds", "train", tmp_path)
    validation = datasets.split(whole, 0.2, seed=1)[1]

    assert set(datasets.load("bhmsds", "test", tmp_path).writers) == {4, 9, 14, 19}
    assert set(validation.writers) == {1, 8, 15}


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_are_read(tmp_path: Path, arrays: dict[str, Any], suffix: str) -> None:
    write_idx(tmp_path / f"train-images-idx3-ubyte{suffix}", arrays["x_train"])
    write_idx(tmp_path / f"train-labels-idx1-ubyte{suffix}", arrays["y_train"])

    dataset = datasets.load(str(tmp_path), "train")

    assert np.array_equal(np.asarray(dataset.pictures), arrays["x_train"])
    assert np.array_equal(dataset.labels, arrays["y_train"])


def test_emnist_is_turned_upright(tmp_path: Path, arrays: dict[str, Any]) -> None:
    turned = np.ascontiguousarray(arrays["x_test"].transpose(0, 2, 1))
    write_idx(tmp_path / "emnist-digits-test-images-idx3-ubyte", turned)
    write_idx(tmp_path / "emnist-digits-test-labels-idx1-ubyte", arrays["y_test"])

    dataset = datasets.load("emnist", "test", tmp_path)

    assert dataset.name == "emnist"
    assert np.array_equal(np.asarray(dataset.pictures), arrays["x_test"])


def test_look_alikes_are_no_negatives(tmp_path: Path) -> None:
    names = np.repeat(np.array(["w", "slash", "z", "plus"]), 250)
    np.savez(tmp_path / "bhmsds_nondigits.npz", x=np.zeros((1000, 28, 28), np.uint8), name=names)

    parts = [datasets.load("bhmsds_nondigits", part, tmp_path) for part in ("train", "test")]

    assert sum(len(part) for part in parts) == 500
    assert all(set(part.labels) == {NOT_A_DIGIT} for part in parts)


def test_chars74k_is_split_by_writer(tmp_path: Path) -> None:
    folder = tmp_path / "chars74k"
    folder.mkdir()
    for writer in range(1, 11):
        Image.new("L", (40, 30), 255).save(folder / f"{writer % 10}_w{writer:02d}.png")

    training = datasets.load("chars74k", "train", tmp_path)
    testing = datasets.load("chars74k", "test", tmp_path)

    assert set(testing.writers) == {5, 10}
    assert not set(training.writers) & set(testing.writers)


def test_a_split_keeps_writers_together(tmp_path: Path, arrays: dict[str, Any]) -> None:
    np.savez(tmp_path / "mnist.npz", **arrays)
    whole = datasets.load("mnist", "train", tmp_path)

    training, validation = datasets.split(whole, 0.2, seed=3)

    assert len(training) + len(validation) == len(whole)
    assert len(validation) == 200
    assert not set(training.writers) & set(validation.writers)


def test_the_same_seed_splits_the_same(tmp_path: Path, arrays: dict[str, Any]) -> None:
    np.savez(tmp_path / "mnist.npz", **arrays)
    whole = datasets.load("mnist", "train", tmp_path)

    one, two, other = (datasets.split(whole, 0.2, seed=seed)[1] for seed in (3, 3, 4))

    assert np.array_equal(one.writers, two.writers)
    assert not np.array_equal(one.writers, other.writers)


@pytest.mark.parametrize(
    ("name", "message"),
    [("mnist", "does not exist"), ("nothing", "no data set or folder"), ("chars74k", "not exist")],
)
def test_a_missing_set_says_what_to_do(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        datasets.load(name, "train", tmp_path)


def test_an_empty_name_does_not_stand_for_the_folder_one_is_in() -> None:
    with pytest.raises(DatasetError, match="no data set or folder ''"):
        datasets.load("", "train")


def test_a_named_set_without_a_folder_says_what_to_do() -> None:
    with pytest.raises(DatasetError, match="--data-dir"):
        datasets.load("usps", "train", None)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", b"nonsense"])
def test_a_damaged_file_says_what_to_do(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "mnist.npz").write_bytes(damage)

    with pytest.raises(DatasetError, match="damaged"):
        datasets.load("mnist", "train", tmp_path)


def test_a_flipped_bit_anywhere_is_found_or_harmless(
    tmp_path: Path, arrays: dict[str, Any]
) -> None:
    path = tmp_path / "mnist.npz"
    np.savez_compressed(path, **arrays)
    whole = path.read_bytes()

    for place in range(0, len(whole), max(1, len(whole) // 200)):
        flipped = bytearray(whole)
        flipped[place] ^= 0x55
        path.write_bytes(flipped)
        with contextlib.suppress(DatasetError):
            assert len(datasets.load("mnist", "train", tmp_path))


def test_arrays_of_other_shapes_are_damage(tmp_path: Path, arrays: dict[str, Any]) -> None:
    for wrong in ({"y_train": arrays["y_train"][:, None]}, {"x_train": arrays["x_train"][:, :0]}):
        np.savez(tmp_path / "mnist.npz", **{**arrays, **wrong})

        with pytest.raises(DatasetError, match="shape"):
            datasets.load("mnist", "train", tmp_path)


def test_labels_beyond_the_digits_are_damage(tmp_path: Path, arrays: dict[str, Any]) -> None:
    np.savez(tmp_path / "mnist.npz", **arrays | {"y_train": arrays["y_train"] + 40})

    with pytest.raises(DatasetError, match="labels from 40"):
        datasets.load("mnist", "train", tmp_path)


def test_a_pickle_is_never_opened(tmp_path: Path, arrays: dict[str, Any]) -> None:
    hidden = np.array([object()], dtype=object)
    np.savez(tmp_path / "mnist.npz", **arrays | {"x_train": hidden})

    with pytest.raises(DatasetError, match="damaged"):
        datasets.load("mnist", "train", tmp_path)


def test_a_folder_without_digits_says_which_are_missing(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()

    with pytest.raises(DatasetError, match="missing: 1, 2"):
        datasets.load(str(tmp_path), "train")


def test_truncated_idx_files_are_damage(tmp_path: Path, arrays: dict[str, Any]) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    write_idx(path, arrays["x_train"])
    write_idx(tmp_path / "train-labels-idx1-ubyte", arrays["y_train"])
    path.write_bytes(path.read_bytes()[:5000])

    with pytest.raises(DatasetError, match="damaged"):
        datasets.load(str(tmp_path), "train")
