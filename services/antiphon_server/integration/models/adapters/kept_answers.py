"""What genai-prices said of models, kept in a file for the servers' next starts."""

import json
import logging
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

FILE = "public-models.json"
_WEEK_S = 7 * 24 * 3600  # prices have days on which they change
Answer = Sequence[int] | None

log = logging.getLogger(__name__)


class KeptAnswers:
    """What was said of each model in this week by this version of the package.

    Not for several threads at once. A folder that takes no file costs a look-up a start.
    """

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._file = folder / FILE if folder is not None else None
        self._clock = clock
        self._answers: dict[str, Answer] | None = None

    def get(self, model: str, look_up: Callable[[], Answer]) -> Answer:
        """What is known of a model; None also if that can't be found out, which is logged."""
        said_by = self._said_by()
        if not said_by:
            return None
        if self._answers is None:
            self._answers = self._read(said_by)
        if model not in self._answers:
            try:
                self._answers[model] = look_up()
                self._write({"said_by": said_by, "models": self._answers})
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                self._answers[model] = None  # as long as this process lives
                log.warning("the price of %s could not be looked up: %s", model, error)
        return self._answers[model]

    def _said_by(self) -> str:
        try:
            return f"genai-prices {version('genai-prices')}, week {self._clock() // _WEEK_S:.0f}"
        except PackageNotFoundError:
            return ""

    def _read(self, said_by: str) -> dict[str, Answer]:
        if self._file is None:
            return {}
        try:
            kept: dict[str, Any] = json.loads(self._file.read_text())
            return dict(kept["models"]) if kept["said_by"] == said_by else {}
        except (OSError, ValueError, LookupError, TypeError):
            return {}

    def _write(self, kept: dict[str, Any]) -> None:
        if self._file is None:
            return
        fresh = self._file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            fresh.write_text(json.dumps(kept))
            os.replace(fresh, self._file)
