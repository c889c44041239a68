"""What a kind of rules is called, and made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Kind(Generic[M]):
    """Rules of one kind: ``one`` and ``many`` in words and in files, set by ``command``.

    ``written`` says what is wrong with a field that is not how one is written, by its name.
    """

    message: type[M]
    one: str
    many: str
    command: str
    written: Mapping[str, str]

    @property
    def descriptor(self) -> Descriptor:
        """What the contract says of one."""
        found: Descriptor = self.message.DESCRIPTOR  # type: ignore[assignment]  # one of two types
        return found

    def place(self, at: int, name: object) -> str:
        """Which of them is meant, the first being 0."""
        named = f" ({name})" if name and isinstance(name, str) else ""
        return f"{self.one} {at + 1}{named}"
