"""Writing an export's file, or going on with one."""

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
    line is cut off then. Raises CommandError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._check = FileCheck(None)
        self._file: BinaryIO | None = None
        try:
            self._size = self._verified()
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}") from None

    @property
    def last(self) -> int:
        """The place of its last event; 0 if it has none."""
        return self._check.head.sequence

    def add(self, answer: ExportSecurityEventsResponse) -> None:
        """Write what the server sent."""
        file = self._file = self._file or self._opened()
        for event in answer.events:
            if self._check.follow(event):
                raise self._other_history()
            file.write(event_text(event))
        if answer.HasField("head"):
            if (answer.head.sequence, answer.head.hash) != (self.last, self._check.head.hash):
                raise self._other_history()
            file.write(head_text(answer.head))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def _verified(self) -> int:
        """How long the part is that holds: all but half a line at the end."""
        size = 0
        if not self._path.exists():
            return size
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                if problem := self._check.problem_of(parsed(line)):
                    raise self._unsound(number, problem)
                size += len(line)
        return size

    def _opened(self) -> BinaryIO:
        try:
            self._path.touch(mode=0o600)  # a new one is for its owner alone
            file = self._path.open("r+b")
        except OSError as error:
            raise CommandError(f"{self._path} can't be written: {error.strerror}") from None
        file.truncate(self._size)
        file.seek(self._size)
        return file

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
