"""How rules of a kind are read, shown and set."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from antiphon_client import Client
from antiphon_server.cli.rules.about import About

M = TypeVar("M", bound=Message)


async def no_warnings(client: Client, parent: str, rules: Sequence[Any]) -> Sequence[str]:
    """Nothing is wrong."""
    return ()


@dataclass(frozen=True, slots=True)
class Kind(Generic[M]):
    """Rules of one kind, as the client gets and puts them.

    ``written`` says what is wrong with a field that is not how one is written, by its name.
    ``headings`` and ``row_of`` make a table of them, in the ``order`` in which they are tried.
    ``warned`` is what will not work of a parent's that were just set or changed, ``marked`` of
    those that are shown.
    """

    about: About
    message: type[M]
    written: Mapping[str, str]
    get: Callable[[Client, str, int], Awaitable[Any]]
    put: Callable[..., Awaitable[Any]]
    revisions: Callable[[Client, str], AsyncIterator[Any]]
    headings: Sequence[str]
    row_of: Callable[[M], Sequence[str]]
    order: Callable[[Sequence[M]], Iterable[M]] = iter
    warned: Callable[[Client, str, Sequence[M]], Awaitable[Sequence[str]]] = no_warnings
    marked: Callable[[Client, str, Sequence[M]], Awaitable[Sequence[str]]] = no_warnings

    @property
    def descriptor(self) -> Descriptor:
        """What the contract says of one."""
        found: Descriptor = self.message.DESCRIPTOR  # type: ignore[assignment]  # one of two types
        return found

    def of(self, revision: Any) -> Sequence[M]:
        """The rules of a revision."""
        found: Sequence[M] = getattr(revision, self.about.many)
        return found

    def place(self, at: int, name: object) -> str:
        """Which of them is meant, the first being 0."""
        named = f" ({name})" if name and isinstance(name, str) else ""
        return f"{self.about.one} {at + 1}{named}"
