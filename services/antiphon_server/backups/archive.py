"""A backup as one file or stream: a tar with a manifest, and behind it what that describes.

The manifest comes first and names the content's length and SHA-256, so whatever was cut off is
found out, wherever it was.
"""

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import msgspec

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.manifest import MANIFEST, Manifest

_PIECE = 1 << 20
_LONGEST_MANIFEST = 1 << 20
_NOT_WHOLE = "this is no whole backup: {why}. Take another one"
Sink = Callable[[bytes], object]


def measured(path: Path) -> tuple[int, str]:
    """A file's size and SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        size = _copied(file, digest.update)
    return size, digest.hexdigest()


def write_archive(target: IO[bytes], manifest: Manifest, content: Path) -> None:
    """Write all of it. Raises OSError."""
    with tarfile.open(fileobj=target, mode="w|") as tar:
        text = msgspec.json.format(msgspec.json.encode(manifest))
        tar.addfile(_member(MANIFEST, len(text), manifest), io.BytesIO(text))
        with content.open("rb") as file:
            tar.addfile(_member(manifest.content, manifest.size, manifest), file)
    target.flush()


def read_archive(source: IO[bytes], sink: Sink = len) -> Manifest:
    """Hand the content on, piece by piece, and return its manifest when all of it was right.

    Raises BackupFailed, OSError.
    """
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            return _read(tar, sink)
    except (tarfile.TarError, msgspec.MsgspecError, EOFError, ValueError, RecursionError) as error:
        # tarfile and datetime raise ValueError for what somebody else wrote.
        raise BackupFailed(_NOT_WHOLE.format(why=error)) from error


def _read(tar: tarfile.TarFile, sink: Sink) -> Manifest:
    found = _next(tar, MANIFEST)
    manifest = msgspec.json.decode(found.read(_LONGEST_MANIFEST), type=Manifest)
    manifest.check()
    digest = hashlib.sha256()

    def take(piece: bytes) -> None:
        digest.update(piece)
        sink(piece)

    size = _copied(_next(tar, manifest.content), take)
    if (size, digest.hexdigest()) != (manifest.size, manifest.sha256):
        raise BackupFailed(_NOT_WHOLE.format(why=f"{manifest.content} is not what was written"))
    return manifest


def _next(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    member = tar.next()
    file = tar.extractfile(member) if member is not None and member.name == name else None
    if file is None:
        raise BackupFailed(_NOT_WHOLE.format(why=f"{name} is missing"))
    return file


def _copied(source: IO[bytes], sink: Sink) -> int:
    size = 0
    while piece := source.read(_PIECE):
        sink(piece)
        size += len(piece)
    return size


def _member(name: str, size: int, manifest: Manifest) -> Any:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(manifest.made_at.timestamp())
    return member
