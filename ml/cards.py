"""The model directory: `card.json` beside the two model files, written whole or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ml.scripts import SCRIPTS

FORMAT = 1
CARD_FILE = "card.json"
SERVED_FILE = "model.tflite"
TRAINED_FILE = "model.keras"
MAX_CARD_BYTES = 5_000_000  # a card with every metric is about 30 kB
VERSION_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


class CardError(Exception):
    """A model directory is missing, incomplete or not what its card says."""


@dataclass(frozen=True)
class ModelFile:
    """What one file of the model directory must look like."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Thresholds:
    """Where a verdict changes; each is compared with the calibrated confidence, 0.0 to 1.0.

    A reading is accepted from `accept` up, refused as no digit below `refuse`, unsure between.
    """

    accept: float
    refuse: float


@dataclass(frozen=True)
class ModelCard:
    """What is known of a trained model.

    `labels` are the ten numerals in order of the network's outputs. `rejects` says that one
    more output follows them: "this is no digit". `metrics` holds plain JSON, by data set.
    """

    version: str
    script: str
    labels: tuple[str, ...]
    rejects: bool
    architecture: str
    preprocessing: int
    temperature: float
    thresholds: Thresholds
    config: dict[str, Any]
    datasets: list[dict[str, Any]]
    metrics: dict[str, Any]
    command: str
    keras_version: str
    python_version: str
    training_seconds: float
    created_at: str  # ISO 8601, UTC
    files: dict[str, ModelFile] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def accuracy(self) -> float | None:
        """Accuracy on the first test set of digits in `metrics`, 0.0 to 1.0, None without one."""
        for report in self.metrics.get("test", {}).values():
            if "accuracy" in report:
                return float(report["accuracy"])
        return None

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> ModelCard:
        """Build a card from parsed JSON.

        Raises:
            CardError: a field is missing, unknown, or of the wrong kind.
        """
        if not isinstance(data, dict):
            raise CardError("The card is not a JSON object.")
        if data.get("format") != FORMAT:
            raise CardError(
                f"The card has format {data.get('format')!r}; this version reads format {FORMAT}."
            )
        try:
            fields = {
                **data,
                "labels": tuple(data["labels"]),
                "thresholds": Thresholds(**data["thresholds"]),
                "files": {name: ModelFile(**entry) for name, entry in data["files"].items()},
            }
            card = cls(**fields)
            card._check()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CardError(f"The card is not valid: {error}.") from error
        return card

    def _check(self) -> None:
        if not VERSION_PATTERN.fullmatch(self.version):
            raise ValueError(f"version {self.version!r} is not a plain name")
        if self.script not in SCRIPTS:
            raise ValueError(f"script {self.script!r} is none of {', '.join(SCRIPTS)}")
        if len(self.labels) != 10:
            raise ValueError(f"{len(self.labels)} labels instead of 10")
        if set(self.labels) != set(SCRIPTS[self.script].numerals):
            raise ValueError(f"labels are not the numerals of {self.script}")
        if not self.temperature > 0:
            raise ValueError(f"temperature {self.temperature!r} is not positive")
        for name, threshold in dataclasses.asdict(self.thresholds).items():
            if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
                raise ValueError(f"threshold {name} {threshold!r} is no number from 0 to 1")
        if datetime.fromisoformat(self.created_at).tzinfo is None:
            raise ValueError(f"created_at {self.created_at!r} has no time zone")


def read(directory: Path) -> ModelCard:
    """Read the card of a model directory, without looking at the model files.

    Raises:
        CardError: there is no readable card, or it is another model's.
    """
    path = directory / CARD_FILE
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise CardError(f"{path} is too large to be a model card.")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CardError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CardError(f"{path} is not valid JSON: {error}.") from error
    card = ModelCard.from_json(data)
    if card.version != directory.name:
        raise CardError(
            f"{path} is the card of {card.version}; a model's directory is called by its version."
        )
    return card


def verify(directory: Path) -> ModelCard:
    """Read the card and compare every file with the size and SHA-256 it gives.

    Raises:
        CardError: the card is unreadable, or a file is missing or differs.
    """
    card = read(directory)
    if SERVED_FILE not in card.files:
        raise CardError(f"The card in {directory} names no {SERVED_FILE}.")
    for name, expected in card.files.items():
        path = directory / name
        if Path(name).name != name or not path.is_file():
            raise CardError(f"{path} is missing.")
        try:
            same = path.stat().st_size == expected.bytes and sha256(path) == expected.sha256
        except OSError as error:
            raise CardError(f"{path} cannot be read: {error.strerror}.") from error
        if not same:
            raise CardError(f"{path} is damaged: its checksum is not the one in the card.")
    return card


def write(card: ModelCard, root: Path, files: dict[str, Path]) -> Path:
    """Write a model directory under `root`, complete or not at all.

    The files are copied into a hidden directory beside the final one, flushed to disk,
    and appear under `root / card.version` by one rename.

    Args:
        card: the card; its `files` are filled in here.
        root: the folder of all models; made when it is not there.
        files: name in the model directory -> file to copy.

    Returns:
        The new model directory.

    Raises:
        CardError: a model of this version is already there.
    """
    root.mkdir(parents=True, exist_ok=True)
    final = root / card.version
    if final.exists():
        raise CardError(f"{final} exists already; a model is never overwritten.")
    staging = Path(tempfile.mkdtemp(prefix=".writing-", dir=root))
    try:
        for name, source in files.items():
            shutil.copyfile(source, staging / name)
        entries = {
            name: ModelFile(sha256(staging / name), (staging / name).stat().st_size)
            for name in files
        }
        complete = dataclasses.replace(card, files=entries)
        text = json.dumps(complete.to_json(), indent=2, ensure_ascii=False) + "\n"
        (staging / CARD_FILE).write_text(text, encoding="utf-8")
        for path in (*staging.iterdir(), staging):
            _flush(path)
        staging.chmod(0o755)
        staging.rename(final)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    _flush(root)
    return final


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows cannot open a directory
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
