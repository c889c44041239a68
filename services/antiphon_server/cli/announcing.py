"""What a server's command says while it runs: to people, or to who collects logs of JSON."""

import logging
from typing import TYPE_CHECKING

from antiphon_server.cli.console import as_typed, say

if TYPE_CHECKING:
    from antiphon_server.settings import Settings

log = logging.getLogger(__name__)


def announce(text: str, settings: "Settings", level: int = logging.INFO) -> None:
    """Say it on stderr; where each line there is JSON, as a line of the log."""
    if settings.log_format == "json":
        log.log(level, "%s", text)
    else:
        say(as_typed(text), err=True)
