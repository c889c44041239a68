"""Where a session's tokens are kept between calls, and between runs of a program."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from antiphon_client.credentials import Tokens

_POLL_S = 0.02


class TokenStore(Protocol):
    """Keeps the tokens of one session."""

    def locked(self) -> AbstractAsyncContextManager[None]:
        """Keep others that share the store from exchanging the refresh token meanwhile."""

    def load(self) -> Tokens | None:
        """What was saved last; None if nothing was."""

    def save(self, tokens: Tokens | None) -> None:
        """Replace what is kept; None forgets it."""


class MemoryTokenStore:
    """Keeps tokens for as long as the program runs."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self._tokens = tokens

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Nobody else shares it."""
        yield

    def load(self) -> Tokens | None:
        """See TokenStore."""
        return self._tokens

    def save(self, tokens: Tokens | None) -> None:
        """See TokenStore."""
        self._tokens = tokens


class FileTokenStore:
    """Keeps tokens in a file that only its owner may read (mode 0600).

    Several programs may share it: a refresh token works once, so the exchange is done
    under a lock beside the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """See TokenStore. Waits for as long as another program holds the lock."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _try_lock(lock):  # noqa: ASYNC110 - another program holds it
                await asyncio.sleep(_POLL_S)
            yield
        finally:
            os.close(lock)

    def load(self) -> Tokens | None:
        """See TokenStore. A file that can't be understood counts as none."""
        try:
            return Tokens(**json.loads(self._path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, tokens: Tokens | None) -> None:
        """See TokenStore. Raises OSError if the file can't be written."""
        if tokens is None:
            self._path.unlink(missing_ok=True)
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(tokens), file)
        fresh.replace(self._path)


def _try_lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # no such locks on this platform
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
