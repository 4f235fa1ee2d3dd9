from __future__ import annotations

from pathlib import Path

import pytest

from ml import cards
from ml.recognizer import Recognizer

PRETRAINED = Path(cards.__file__).parent / "pretrained"


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The newest shipped model."""
    found = [path.parent for path in PRETRAINED.glob("*/card.json")]
    return max(found, key=lambda directory: cards.read(directory).created_at)


@pytest.fixture(scope="session")
def latin(shipped: Path) -> Recognizer:
    return Recognizer.load(shipped)
