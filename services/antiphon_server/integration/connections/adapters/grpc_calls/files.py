"""Descriptors of files from somebody else: bounded, each name once, in a pool of their own."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool

MOST_BYTES = 8 * 1024 * 1024
MOST_OF_A_FILE = 1024 * 1024
MOST_FILES = 1_024
MOST_ELEMENTS = 200_000
"""Messages, fields, values, services and methods, of all files."""
_OWN = [
    "any",
    "api",
    "descriptor",
    "duration",
    "empty",
    "field_mask",
    "source_context",
    "struct",
    "timestamp",
    "type",
    "wrappers",
]
Descriptor = descriptor_pb2.FileDescriptorProto


class Unusable(Exception):
    """Says why descriptors can't be used, to whoever gave them or operates the server."""


class TooMuch(Unusable):
    """There is more of them than is taken; ``limit`` says how much that is."""

    def __init__(self, why: str, limit: str) -> None:
        super().__init__(why)
        self.limit = limit


class Files:
    """Those of one server, as they come. What is said of protobuf's own files is not believed."""

    def __init__(self) -> None:
        self._found: dict[str, bytes] = {}
        self.parsed: dict[str, Descriptor] = {}
        self._left, self._elements = MOST_BYTES, MOST_ELEMENTS

    @property
    def size(self) -> int:
        """All of them together, in bytes."""
        return MOST_BYTES - self._left

    @property
    def digest(self) -> bytes:
        """The same for the same files."""
        return hashlib.sha256(b"".join(self._found[name] for name in sorted(self._found))).digest()

    def add(self, serialized: bytes) -> str:
        """Keep a file, and return its name. Raises Unusable."""
        if len(serialized) > MOST_OF_A_FILE:
            limit = f"{MOST_OF_A_FILE:,} bytes of a file of descriptors"
            raise TooMuch(f"a file is larger than {MOST_OF_A_FILE:,} bytes", limit)
        self._left -= len(serialized)
        if self._left < 0:
            raise too_many_bytes()
        try:
            file = Descriptor.FromString(serialized)
        except Exception:
            raise Unusable("a file is no descriptor") from None
        return self._keep(file, serialized)

    def missing(self) -> Iterator[str]:
        """Files that others import, and that are not there."""
        for file in self.parsed.values():
            for name in file.dependency:
                if name not in self._found and name not in _wellknown():
                    yield name

    def services(self) -> dict[str, str]:
        """The file that declares each service, by the service's full name."""
        found: dict[str, str] = {}
        for name, file in self.parsed.items():
            for service in file.service:
                full = f"{file.package}.{service.name}" if file.package else service.name
                found.setdefault(full, name)
        return found

    def declaring(self, services: Collection[str]) -> dict[str, str]:
        """The file that declares each of these services, for those that are there."""
        return {name: file for name, file in self.services().items() if name in services}

    def pool(self, roots: Iterable[str]) -> DescriptorPool:
        """These and all that they import, in a new pool. Raises Unusable."""
        pool = DescriptorPool()
        for name in self._ordered(roots):
            try:
                pool.AddSerializedFile(_wellknown().get(name) or self._found[name])
            except TypeError:
                raise Unusable(f"the file {name[:100]!r} can't be used with the others") from None
        return pool

    def _keep(self, file: Descriptor, serialized: bytes) -> str:
        name = file.name
        if self._found.get(name, serialized) != serialized:
            raise Unusable(f"two files have the name {name[:100]!r}")
        if name in self._found or name in _wellknown():
            return name
        if file.package == "google.protobuf":
            raise Unusable(f"the file {name[:100]!r} says that it is protobuf's own")
        if len(self._found) == MOST_FILES:
            raise too_many_files()
        self._elements -= _counted(file, self._elements)
        self._found[name], self.parsed[name] = serialized, file
        return name

    def _ordered(self, roots: Iterable[str]) -> Iterator[str]:
        """Each file behind those that it imports. Raises Unusable."""
        done, open_ = set[str](), dict[str, Iterator[str]]()
        for root in roots:
            open_ = {} if root in done else {root: iter(self._imports(root))}
            while open_:
                name, imports = next(reversed(open_.items()))
                following = next((it for it in imports if it not in done), None)
                if following is None:
                    del open_[name]
                    done.add(name)
                    yield name
                elif following in open_:
                    raise Unusable(f"the file {following[:100]!r} imports itself")
                else:
                    open_[following] = iter(self._imports(following))

    def _imports(self, name: str) -> Iterable[str]:
        if name in self.parsed:
            return self.parsed[name].dependency
        if name in _wellknown():
            return Descriptor.FromString(_wellknown()[name]).dependency
        raise Unusable(f"the file {name[:100]!r} is missing")


def too_many_bytes() -> TooMuch:
    """All files together are larger than they may be."""
    limit = f"{MOST_BYTES:,} bytes of descriptors"
    return TooMuch(f"all files are larger than {MOST_BYTES:,} bytes", limit)


def too_many_files() -> TooMuch:
    """More than there may be."""
    limit = f"{MOST_FILES:,} files of descriptors"
    return TooMuch(f"there are more than {MOST_FILES:,} files", limit)


def _counted(file: Descriptor, most: int) -> int:
    """How many elements a file declares. Raises Unusable for more than ``most``."""
    count, left = 0, [file]
    while left:
        it: Any = left.pop()
        for listed in ("message_type", "nested_type", "enum_type", "field", "extension", "service"):
            count += len(getattr(it, listed, ()))
        for listed in ("method", "value", "oneof_decl", "dependency"):
            count += len(getattr(it, listed, ()))
        if count > most:
            limit = f"{MOST_ELEMENTS:,} messages, fields, services and methods"
            raise TooMuch(f"the files declare more than {MOST_ELEMENTS:,} things", limit)
        for listed in ("message_type", "nested_type", "enum_type", "service"):
            left.extend(getattr(it, listed, ()))
    return count


@cache
def _wellknown() -> dict[str, bytes]:
    """Protobuf's own files, as they are here."""
    from importlib import import_module

    modules = (import_module(f"google.protobuf.{name}_pb2") for name in _OWN)
    return {it.DESCRIPTOR.name: it.DESCRIPTOR.serialized_pb for it in modules}
