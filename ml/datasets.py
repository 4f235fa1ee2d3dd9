"""Labelled pictures from files: load, check, fingerprint, split."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ml import cheques, drawn, fonts, images, quiet

NOT_A_DIGIT = 10  # the label of pictures that show no digit
HELD_OUT = 5  # every fifth block, writer or cheque of a set without a test part is held out
TEST = "test"  # what draws the lots that hold out a picture of a folder; validation has its seed
BLOCK = 50  # pictures; neighbours in a file often come from one writer, so they stay together
DRAWN = {"train": range(2000), "test": range(10_000, 10_400)}  # seeds of `drawn_ones`
IN_ONE_PIECE = frozenset(  # their `sha256` tells of all that is learned from and held out
    ("semeion", "bhmsds", "bhmsds_nondigits", "chars74k", "cheques", "fonts", "font_letters")
)
LOOK_ALIKES = ("slash", "z")  # how many people write 1 and 2

# What NumPy, zipfile, gzip and their helpers raise on bytes that are not as they should be.
_DAMAGES = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,
    struct.error,
    csv.Error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class DatasetError(Exception):
    """A data set is missing or damaged; the text says what to do."""


@dataclass(frozen=True)
class Dataset:
    """Pictures with labels.

    Attributes:
        name: as on the command line.
        pictures: uint8 arrays (height, width), upright, of any size.
        labels: int64 (n,), 0 to 9, or `NOT_A_DIGIT`.
        writers: int64 (n,), equal for pictures that must not be split apart.
        sha256: of the file, of all files of the folder, or of pictures that are drawn.
        part: train or test.
        may_grow: whether pictures may be added, as to a folder: a writer is a picture then, and on
            a side by its own bytes, whatever else is there.
    """

    name: str
    pictures: Sequence[np.ndarray] | np.ndarray
    labels: np.ndarray
    writers: np.ndarray
    sha256: str
    part: str
    may_grow: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: np.ndarray) -> Dataset:
        return replace(
            self,
            pictures=[self.pictures[i] for i in indices],
            labels=self.labels[indices],
            writers=self.writers[indices],
        )


def load(name: str, part: str, data_dir: Path | None = None) -> Dataset:
    """Load one part of a data set.

    Args:
        name: a key of `LOADERS`, or the path of a folder: `0/ ... 9/` with pictures, or idx files.
        part: "train" or "test"; sets that come in one piece hold out every fifth block of
            pictures, or every fifth writer or cheque where these are known; a folder of pictures
            about a fifth, of each digit one at least.
        data_dir: where the files of named sets lie; without it MNIST comes through Keras.

    Raises:
        DatasetError: the set is unknown, missing, or damaged.
    """
    try:
        if name in LOADERS:
            dataset = LOADERS[name](part, data_dir)
        elif name and Path(name).is_dir():  # an empty name would be the folder one stands in
            dataset = _folder(Path(name), part)
        else:
            known = ", ".join(LOADERS)
            raise DatasetError(f"There is no data set or folder {name!r}. Known sets: {known}.")
    except _DAMAGES as error:
        raise DatasetError(
            f"The data set {name} is damaged ({error}). Fetch its file again."
        ) from error
    if not len(dataset):
        raise DatasetError(f"The {part} part of the data set {name} holds no picture.")
    return dataset


def split(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split into training and validation parts, never through a writer.

    Pictures that are added to a set that may grow move none from training to validation.

    Args:
        share: of the pictures that go to validation, above 0.0 and below 1.0.

    Raises:
        DatasetError: one of the parts would be empty.
    """
    if dataset.may_grow:
        lots = _lots(dataset.writers, seed)
        validating = (lots < share) | (lots == lots.min())
    else:
        validating = np.isin(dataset.writers, _some_writers(dataset, share, seed))
    if validating.all() or not validating.any():
        raise DatasetError(f"{dataset.name} has too few pictures or writers to validate on.")
    return dataset.subset(np.flatnonzero(~validating)), dataset.subset(np.flatnonzero(validating))


def _some_writers(dataset: Dataset, share: float, seed: int) -> np.ndarray:
    writers = np.unique(dataset.writers)
    np.random.default_rng(seed).shuffle(writers)
    sizes = np.array([(dataset.writers == writer).sum() for writer in writers])
    chosen: np.ndarray = writers[np.cumsum(sizes) <= max(share * len(dataset), sizes[0])]
    return chosen


def divided_otherwise(
    version: str, then: Iterable[Mapping[str, Any]], sets: Iterable[Dataset]
) -> Iterator[str]:
    """A sentence for each set that was divided otherwise when a model learned from it.

    Args:
        version: of the model.
        then: the sets that it learned from, as its card tells of them.
        sets: as they are now.
    """
    known = {entry["name"]: entry for entry in then}
    for dataset in sets:
        entry = known.get(dataset.name)
        if entry is None:
            continue
        grew_before = dataset.may_grow and not entry.get("may_grow")
        if grew_before or (_is_divided_by_place(dataset) and dataset.sha256 != entry["sha256"]):
            yield (
                f"Of {dataset.name} other pictures are held out now than when {version} was "
                "trained: it may have learned from some of them."
            )


def _is_divided_by_place(dataset: Dataset) -> bool:
    """Whether one picture more may bring others to another side.

    The idx files of somebody's own have a test part apart, but what is set aside of the other
    depends on how many there are. Sets with names are published as they are.
    """
    is_own = dataset.name not in LOADERS and not dataset.may_grow
    return dataset.name in IN_ONE_PIECE or (is_own and dataset.part == "train")


def held_out_kinds(data_dir: Path | None) -> dict[str, np.ndarray]:
    """The held-out pictures of `bhmsds_nondigits` by what they show, look-alikes included.

    Returns:
        name of the kind -> uint8 (n, height, width).

    Raises:
        DatasetError: the set is missing or damaged.
    """
    path = _file("bhmsds_nondigits.npz", data_dir)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            pictures, names = arrays["x"], arrays["name"]
    except _DAMAGES as error:
        raise DatasetError(f"{path} is damaged ({error}). Fetch the file again.") from error
    kinds: dict[str, np.ndarray] = {}
    for which in (~np.isin(names, LOOK_ALIKES), np.isin(names, LOOK_ALIKES)):
        indices = np.flatnonzero(which)
        testing = indices[_is_held_out(_blocks(len(indices)))]
        kinds |= {str(k): pictures[testing[names[testing] == k]] for k in np.unique(names[testing])}
    return kinds


def _npz(file: str, part: str, data_dir: Path | None) -> Dataset:
    path = _file(file, data_dir)
    name = path.stem
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
        own_test = "x_test" in arrays
        wanted = part if own_test else "train"
        pictures, labels = arrays[f"x_{wanted}"], arrays[f"y_{wanted}"].astype(np.int64)
    _check(name, pictures, labels)
    dataset = Dataset(name, pictures, labels, _blocks(len(labels)), _sha256([path]), part)
    return dataset if own_test else _held_out(dataset)


def _mnist(part: str, data_dir: Path | None) -> Dataset:
    if data_dir is not None:
        return _npz("mnist.npz", part, data_dir)
    with quiet.tensorflow():
        from keras.datasets import mnist  # downloads once, then reads its own copy

    try:
        train, test = mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception when the download fails
        raise DatasetError(
            "MNIST could not be downloaded. Connect to the internet once, or name a folder that "
            "holds mnist.npz with --data-dir or DIGITS_DATA_DIR."
        ) from error
    pictures, labels = train if part == "train" else test
    labels = labels.astype(np.int64)
    _check("mnist", pictures, labels)
    digest = hashlib.sha256(pictures.tobytes() + labels.tobytes()).hexdigest()
    return Dataset("mnist", pictures, labels, _blocks(len(labels)), digest, part)


def _emnist(part: str, data_dir: Path | None) -> Dataset:
    path = _file(f"emnist-digits-{part}-images-idx3-ubyte", data_dir)
    return replace(_idx(path, part), name="emnist")


def _nondigits(part: str, data_dir: Path | None) -> Dataset:
    path = _file("bhmsds_nondigits.npz", data_dir)
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
        pictures, names = arrays["x"], arrays["name"]
    keep = ~np.isin(names, LOOK_ALIKES)
    pictures = pictures[keep]
    labels = np.full(len(pictures), NOT_A_DIGIT)
    _check(path.stem, pictures, labels)
    writers = _blocks(len(labels))
    return _held_out(Dataset(path.stem, pictures, labels, writers, _sha256([path]), part))


def _chars74k(part: str, data_dir: Path | None) -> Dataset:
    folder = _file("chars74k", data_dir)
    paths = sorted(folder.glob("[0-9]_w[0-9][0-9].png"))
    labels = np.array([int(path.name[0]) for path in paths], np.int64)
    writers = np.array([int(path.stem[-2:]) for path in paths], np.int64)
    pictures = [_open(path) for path in paths]
    return _held_out(Dataset("chars74k", pictures, labels, writers, _sha256(paths), part))


def _cheques(part: str, data_dir: Path | None) -> Dataset:
    folder = _file("cheque_amounts", data_dir)
    found = list(cheques.digits(folder))
    labels = np.array([digit.label for digit in found], np.int64)
    writers = np.array([digit.amount for digit in found], np.int64)
    files = [folder / "labels.csv", *sorted((folder / "images").iterdir())]
    pictures = [digit.picture for digit in found]
    dataset = Dataset("cheques", pictures, labels, writers, _sha256(files), part)
    testing = writers % HELD_OUT == HELD_OUT - 1  # by the list's rows, whatever can be cut out
    return dataset.subset(np.flatnonzero(testing == (part == "test")))


def _drawn_ones(part: str, data_dir: Path | None) -> Dataset:
    made = [drawn.one_or_seven(seed) for seed in DRAWN[part]]
    pictures = [picture for picture, _ in made]
    labels = np.array([label for _, label in made], np.int64)
    digest = hashlib.sha256(b"".join(picture.tobytes() for picture in pictures)).hexdigest()
    return Dataset("drawn_ones", pictures, labels, np.arange(len(labels)), digest, part)


def _fonts(
    name: str, wanted: str, labels: Sequence[int], part: str, data_dir: Path | None
) -> Dataset:
    """The same characters of every font of the folder; the fonts of a family are one writer's."""
    folder = _file("fonts", data_dir, how=" (make fonts fetches it)")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in fonts.SUFFIXES)
    hands = np.unique([fonts.family(path) for path in paths], return_inverse=True)[1]
    chosen = np.flatnonzero(_is_held_out(hands) == (part == "test"))
    try:
        pictures = [picture for i in chosen for picture in fonts.characters(paths[i], wanted)]
    except fonts.FontError as error:
        raise DatasetError(f"{error} Take it out of the folder, or fetch it again.") from error
    return Dataset(
        name,
        pictures,
        np.tile(np.array(labels, np.int64), len(chosen)),
        np.repeat(hands[chosen], len(wanted)),
        _sha256(paths),
        part,
    )


def _folder(folder: Path, part: str) -> Dataset:
    """Pictures in folders named after their digit, or idx files."""
    idx = sorted(path for path in folder.iterdir() if re.search(r"images[.-]idx3-ubyte", path.name))
    if idx:
        marks = ("test", "t10k") if part == "test" else ("train",)
        for path in idx:
            if any(mark in path.name for mark in marks):
                return _idx(path, part)
        raise DatasetError(f"{folder} holds idx files, but none for the {part} part.")
    digits = [folder / str(digit) for digit in range(10)]
    missing = [path.name for path in digits if not path.is_dir()]
    if missing:
        raise DatasetError(
            f"{folder} should hold the folders 0 to 9 or idx files; missing: {', '.join(missing)}."
        )
    paths = [
        path
        for digit in digits
        for path in sorted(digit.iterdir())
        if path.is_file() and not path.name.startswith(".")
    ]
    labels = np.array([int(path.parent.name) for path in paths], np.int64)
    pictures = [_open(path) for path in paths]
    writers = np.array([_number(path) for path in paths], np.int64)
    testing = _is_drawn_for_testing(writers, labels)
    whole = Dataset(str(folder), pictures, labels, writers, _sha256(paths), part, may_grow=True)
    return whole.subset(np.flatnonzero(testing == (part == "test")))


def _idx(path: Path, part: str) -> Dataset:
    label_path = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    if not label_path.is_file():
        raise DatasetError(f"{path} needs its labels beside it in {label_path.name}.")
    pictures, labels = _read_idx(path, 3), _read_idx(label_path, 1).astype(np.int64)
    if path.name.startswith("emnist"):
        pictures = pictures.transpose(0, 2, 1)  # EMNIST's files store columns before rows
    _check(path.name, pictures, labels)
    digest = _sha256([path, label_path])
    return Dataset(str(path.parent), pictures, labels, _blocks(len(labels)), digest, part)


def _read_idx(path: Path, dimensions: int) -> np.ndarray:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    magic, *shape = struct.unpack(f">{dimensions + 1}I", data[: 4 * (dimensions + 1)])
    if magic != 0x0800 + dimensions:
        raise ValueError(f"{path.name} is no idx file of {dimensions} dimensions")
    return np.frombuffer(data, np.uint8, offset=4 * (dimensions + 1)).reshape(shape)


def _open(path: Path) -> np.ndarray:
    try:
        return images.open_picture(path.read_bytes()).gray
    except images.PictureError as error:
        raise DatasetError(f"{path} cannot be used: {error}") from error


def _file(name: str, data_dir: Path | None, how: str = "") -> Path:
    """Where a file or folder lies; `how` says where it is to be had."""
    if data_dir is None:
        raise DatasetError(
            f"Say where {name} lies, with --data-dir or the environment variable DIGITS_DATA_DIR."
        )
    path = data_dir / name
    packed = path.with_name(f"{name}.gz")
    if packed.is_file():
        return packed
    if not path.exists():
        raise DatasetError(
            f"{path} does not exist. Put the data set there{how}, or name another folder with "
            "--data-dir or DIGITS_DATA_DIR."
        )
    return path


def _held_out(dataset: Dataset) -> Dataset:
    testing = _is_held_out(dataset.writers)
    return dataset.subset(np.flatnonzero(testing if dataset.part == "test" else ~testing))


def _is_held_out(writers: np.ndarray) -> np.ndarray:
    ranks = np.unique(writers, return_inverse=True)[1]
    testing: np.ndarray = ranks % HELD_OUT == HELD_OUT - 1
    return testing


def _is_drawn_for_testing(writers: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Which pictures of a folder are held out: those with a low lot, and the lowest of each digit.

    A picture that is added may send one from here to the training, but never one back.
    """
    lots = _lots(writers, TEST)
    lowest = [lots[labels == label].min() for label in np.unique(labels)]
    testing: np.ndarray = (lots < 1 / HELD_OUT) | np.isin(lots, lowest)
    return testing


def _lots(writers: np.ndarray, salt: object) -> np.ndarray:
    """A lot from 0.0 to below 1.0 for each writer, always the same, whoever else is there."""
    digests = [hashlib.sha256(f"{salt} {writer}".encode()).digest() for writer in writers]
    return np.array([int.from_bytes(digest[:6], "big") / 2**48 for digest in digests])


def _number(path: Path) -> int:
    """The same for files with the same bytes."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _blocks(count: int) -> np.ndarray:
    return np.arange(count) // BLOCK


def _check(name: str, pictures: np.ndarray, labels: np.ndarray) -> None:
    usable = pictures.ndim == 3 and pictures.dtype == np.uint8 and 0 not in pictures.shape[1:]
    if not usable or labels.shape != pictures.shape[:1]:
        raise ValueError(
            f"{name} has {pictures.dtype} pictures of shape {pictures.shape} "
            f"and labels of shape {labels.shape}"
        )
    if labels.size and not 0 <= labels.min() <= labels.max() <= NOT_A_DIGIT:
        raise ValueError(f"{name} has labels from {labels.min()} to {labels.max()}")


def _sha256(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() if len(paths) > 1 else b"")
        digest.update(path.read_bytes())
    return digest.hexdigest()


LOADERS: dict[str, Callable[[str, Path | None], Dataset]] = {
    "mnist": _mnist,
    "usps": lambda part, data_dir: _npz("usps.npz", part, data_dir),
    "semeion": lambda part, data_dir: _npz("semeion.npz", part, data_dir),
    "bhmsds": lambda part, data_dir: _npz("bhmsds.npz", part, data_dir),
    "chars74k": _chars74k,
    "cheques": _cheques,
    "drawn_ones": _drawn_ones,
    "fonts": lambda *where: _fonts("fonts", "0123456789", range(10), *where),
    "font_letters": lambda *where: _fonts(
        "font_letters", fonts.LETTERS, [NOT_A_DIGIT] * len(fonts.LETTERS), *where
    ),
    "emnist": _emnist,
    "bhmsds_nondigits": _nondigits,
}
