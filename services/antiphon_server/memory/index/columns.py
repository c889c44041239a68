"""What is known of each document, in columns that grow: a row is a slot, counted from 0."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# A flag is a bit.
DATED = 1
"""The text says when something was or will be."""

_TYPES: dict[str, type[np.generic]] = {
    "partition": np.int32,  # -1 in a slot whose document is gone
    "length": np.float32,  # in words without stopwords
    "time_us": np.int64,
    "kind": np.int32,
    "speaker_id": np.int32,
    "speaker": np.int32,  # the name
    "session": np.int32,  # -1: of none
    "before": np.int32,  # the slot of the turn before; -1: none
    "after": np.int32,
    "asks": np.float32,  # the share of the text that asks, 0 to 1
    "flags": np.uint8,
}
ROW_BYTES = sum(np.dtype(each).itemsize for each in _TYPES.values())
_FIRST = 1024


class Columns:
    """The columns, each an array of as many values as there are slots."""

    partition: NDArray[np.int32]
    length: NDArray[np.float32]
    time_us: NDArray[np.int64]
    kind: NDArray[np.int32]
    speaker_id: NDArray[np.int32]
    speaker: NDArray[np.int32]
    session: NDArray[np.int32]
    before: NDArray[np.int32]
    after: NDArray[np.int32]
    asks: NDArray[np.float32]
    flags: NDArray[np.uint8]

    def __init__(self) -> None:
        self._whole: dict[str, NDArray[Any]] = {
            name: np.zeros(_FIRST, kind) for name, kind in _TYPES.items()
        }
        self._count = 0
        self._show()

    def __len__(self) -> int:
        return self._count

    def grow(self, rows: int) -> int:
        """Add slots of zeros; gives the number of the first one."""
        first, self._count = self._count, self._count + rows
        room = len(self._whole["partition"])
        if self._count > room:
            room = max(self._count, room * 3 // 2)
            for name, whole in self._whole.items():
                wider = np.zeros(room, whole.dtype)
                wider[:first] = whole[:first]
                self._whole[name] = wider
        self._show()
        return first

    def keep(self, kept: NDArray[np.bool_], moved: NDArray[np.int64]) -> None:
        """Keep these slots alone; `moved` has the new number of each of them."""
        for name in _TYPES:
            self._whole[name] = getattr(self, name)[kept]
        self._count = int(kept.sum())
        for name in ("before", "after"):
            links = self._whole[name]
            self._whole[name] = np.where(links < 0, links, moved[links]).astype(np.int32)
        self._show()

    def _show(self) -> None:
        for name, whole in self._whole.items():
            setattr(self, name, whole[: self._count])
