"""Which networks there are; to build one (`ml.networks`) costs Keras' seconds, to name one not."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Architecture:
    """A network by the name of its function in `ml.networks`.

    `rejects` says whether it has an eleventh output, for what is no digit; `members` are the
    architectures of the networks within it, which may have learned apart.
    """

    name: str
    rejects: bool
    members: tuple[str, ...] = ()

    @property
    def outputs(self) -> int:
        return 11 if self.rejects else 10

    def build(self) -> keras.Model:
        """A new network with random weights."""
        return getattr(importlib.import_module("ml.networks"), self.name)(self.outputs)


def grown_from(kinds: Sequence[str]) -> str | None:
    """The architecture of a training that starts from models of these architectures, if any.

    One goes on as it is, and those that are the members of another become it.
    """
    for architecture in ARCHITECTURES.values():
        if kinds and tuple(kinds) in {(architecture.name,), architecture.members}:
            return architecture.name
    return None


ARCHITECTURES = {
    found.name: found
    for found in (
        Architecture("compact", rejects=True),
        Architecture("pair", rejects=True, members=("compact",) * 2),
        Architecture("quick", rejects=False),
        Architecture("r0", rejects=False),
        Architecture("r3", rejects=False),
        Architecture("r4", rejects=False),
    )
}
