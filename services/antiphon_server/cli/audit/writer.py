"""Writing an export's file, or going on with one."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from antiphon.auth.v1.audit_service_pb2 import ExportSecurityEventsResponse
from antiphon_server.cli.audit.check import UNREADABLE, FileCheck
from antiphon_server.cli.audit.file import event_text, head_text, parsed
from antiphon_server.cli.console import CommandError


class ExportFile:
    """An export in which everything holds; a context manager.

    What is there is verified before anything is added, what is added has to follow from it,
    and nothing is made or changed before something is added. What a killed export left of a
    line is cut off then. Meanwhile it is refused to any other. Raises CommandError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._check = FileCheck(None)
        self._size = 0
        self._file: BinaryIO | None = None
        try:
            if path.exists():
                self._file = self._opened(os.O_RDWR)
                self._size = self._verified(self._file)
        except OSError as error:
            self._close()
            raise CommandError(f"{path} can't be read: {error.strerror}") from None
        except CommandError:
            self._close()
            raise

    @property
    def last(self) -> int:
        """The place of its last event; 0 if it has none."""
        return self._check.head.sequence

    def add(self, answer: ExportSecurityEventsResponse) -> None:
        """Write what the server sent; with a head, all is on disk when it returns."""
        file = self._file = self._file or self._begun()
        file.truncate(file.seek(self._size))
        for event in answer.events:
            if self._check.follow(event):
                raise self._other_history()
            file.write(event_text(event))
        if answer.HasField("head"):
            if (answer.head.sequence, answer.head.hash) != (self.last, self._check.head.hash):
                raise self._other_history()
            file.write(head_text(answer.head))
            file.flush()
            os.fsync(file.fileno())
        self._size = file.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _verified(self, file: BinaryIO) -> int:
        """How long the part is that holds: all but half a line at the end."""
        size = 0
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            if problem := self._check.problem_of(parsed(line)):
                raise self._unsound(number, problem)
            size += len(line)
        return size

    def _opened(self, flags: int) -> BinaryIO:
        """The file, which is nobody else's to add to until it is closed."""
        try:
            file = os.fdopen(os.open(self._path, flags, 0o600), "r+b")
        except OSError as error:
            raise CommandError(f"{self._path} can't be written: {error.strerror}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise self._taken() from None
        return file

    def _begun(self) -> BinaryIO:
        file = self._opened(os.O_RDWR | os.O_CREAT)
        if file.seek(0, os.SEEK_END):  # it was not there a moment ago
            file.close()
            raise self._taken()
        return file

    def _taken(self) -> CommandError:
        return CommandError(
            f"another export is adding to {self._path}: let it end, and begin this one again"
        )

    def _unsound(self, line: int, problem: str) -> CommandError:
        if (line, problem) == (1, UNREADABLE):
            return CommandError(f"{self._path} is no export of security events")
        return CommandError(
            f"{self._path}, line {line}: {problem}. Nothing was added: keep the file as it is, "
            "find out who changed it, and export into another one."
        )

    def _other_history(self) -> CommandError:
        return CommandError(
            f"what the server has does not follow from event {self.last} in {self._path}: the file "
            "is of another server, or one of the two was changed. `antiphon audit verify "
            f"{self._path} --server` says more."
        )
