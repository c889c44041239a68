"""What a server may log as an error while its disk refuses: that it does, and nothing else."""

import json
import re
from collections.abc import Iterable

SHOWN = 1500
REFUSAL = ("antiphon_server.runtime.sqlite", "a commit failed")
_OF_THE_DISK = re.compile(r"OperationalError\) (disk I/O error|database or disk is full)\b")
_RAISED = re.compile(r"^[\w.]*Error: .*", re.MULTILINE)


def unexcused(lines: Iterable[str]) -> list[str]:
    """Of errors and traces, those that are not a commit which the disk refused."""
    return [f"log: {line[-SHOWN:]}" for line in lines if not _of_the_disk(line)]


def _of_the_disk(line: str) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    if (entry.get("logger"), entry.get("message")) != REFUSAL:
        return False
    raised = _RAISED.findall(entry.get("exception", ""))
    return not raised or _OF_THE_DISK.search(raised[-1]) is not None
