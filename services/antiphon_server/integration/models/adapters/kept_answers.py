"""What genai-prices said of models, kept in a file for the servers' next starts."""

import logging
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from antiphon_server.integration.models.pricing import Prices

FILE = "public-models.json"
_FORMAT = 2
"""Counts up where servers of the version before would misread the file, or newer ones theirs."""
AGAIN_S = 60.0
"""What could not be looked up, on a busy machine, is looked up again after so long."""
_WEEK_S = 7 * 24 * 3600  # models come and go in the table, and this server may have no newer one

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """What is publicly known of a model; ``context_tokens`` is 0 if that is not."""

    prices: Prices | None
    context_tokens: int


class _Kept(msgspec.Struct, frozen=True):
    said_by: str
    models: dict[str, Known | None]


class KeptAnswers:
    """What was said of each model in this week by this version of the package.

    Not for several threads at once. A folder that takes no file costs a look-up a start.
    """

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._file = folder / FILE if folder is not None else None
        self._clock = clock
        self._answers: dict[str, Known | None] | None = None
        self._failed: dict[str, float] = {}

    def get(self, model: str, look_up: Callable[[], Known | None]) -> Known | None:
        """What is known of a model; None also if that can't be found out, which is logged."""
        said_by = self._said_by()
        if not said_by:
            return None
        if self._answers is None:
            self._answers = self._read(said_by)
        if model not in self._answers and self._clock() >= self._failed.get(model, 0) + AGAIN_S:
            try:
                self._answers[model] = look_up()
                self._write(_Kept(said_by, self._answers))
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                self._failed[model] = self._clock()
                log.warning("the price of %s could not be looked up: %s", model, error)
        return self._answers.get(model)

    def _said_by(self) -> str:
        try:
            package = f"genai-prices {version('genai-prices')}"
        except PackageNotFoundError:
            return ""
        return f"{package}, week {self._clock() // _WEEK_S:.0f}, format {_FORMAT}"

    def _read(self, said_by: str) -> dict[str, Known | None]:
        if self._file is None:
            return {}
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except (OSError, ValueError):
            return {}
        return dict(kept.models) if kept.said_by == said_by else {}

    def _write(self, kept: _Kept) -> None:
        if self._file is None:
            return
        fresh = self._file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            fresh.write_bytes(msgspec.json.encode(kept))
            os.replace(fresh, self._file)
