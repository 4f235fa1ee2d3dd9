"""Which networks there are; to build one (`ml.networks`) costs Keras' seconds, to name one not."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Architecture:
    """A network by the name of its function in `ml.networks`.

    `rejects` says whether it has an eleventh output, for what is no digit.
    """

    name: str
    rejects: bool

    @property
    def outputs(self) -> int:
        return 11 if self.rejects else 10

    def build(self) -> keras.Model:
        """A new network with random weights."""
        return getattr(importlib.import_module("ml.networks"), self.name)(self.outputs)


ARCHITECTURES = {
    found.name: found
    for found in (
        Architecture("compact", rejects=True),
        Architecture("quick", rejects=False),
        Architecture("r0", rejects=False),
        Architecture("r3", rejects=False),
        Architecture("r4", rejects=False),
    )
}
