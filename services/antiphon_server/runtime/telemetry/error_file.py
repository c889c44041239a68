"""Errors in a file, written on another thread: a slow disk keeps nobody waiting."""

import contextlib
import logging
import queue
from io import TextIOWrapper
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path

MOST_BYTES = 1 << 20
FILES = 3
MOST_WAITING = 1000


class ErrorFile(QueueHandler):
    """What goes wrong, in a file of lines that is at most ``FILES`` times ``MOST_BYTES`` large.

    Neither the file nor the thread is there before the first error. Of what comes faster than the
    disk takes it, ``MOST_WAITING`` lines wait, and the rest is left to the other logs.
    """

    def __init__(self, path: Path, formatter: logging.Formatter) -> None:
        super().__init__(queue.Queue(MOST_WAITING))
        self.setLevel(logging.ERROR)
        self.setFormatter(formatter)  # which is done by whoever logs
        self._path = path
        self._writing: _Writing | None = None

    def enqueue(self, record: logging.LogRecord) -> None:
        """See QueueHandler."""
        if self._writing is None:
            self._writing = _Writing(self.queue, _Rotating(self._path))
            self._writing.start()
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(record)

    def close(self) -> None:
        """Write what waits."""
        if self._writing is not None:
            self._writing.stop()
            self._writing = None
        super().close()


class _Writing(QueueListener):
    def enqueue_sentinel(self) -> None:
        """Behind all that waits, also where as much waits as may."""
        self.queue.put(self._sentinel)  # type: ignore[attr-defined]

    def stop(self) -> None:
        super().stop()
        for handler in self.handlers:
            handler.close()


class _Rotating(RotatingFileHandler):
    """Opens the file on the thread that writes, and makes its folder if need be."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, maxBytes=MOST_BYTES, backupCount=FILES - 1, encoding="utf-8", delay=True
        )

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk is told of by the other logs, once and not for each line."""
