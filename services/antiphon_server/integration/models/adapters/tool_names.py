"""Names of tools as wires allow them: letters, digits, `_` and `-`, at most 64."""

import re
from collections.abc import Iterable
from hashlib import sha256

from antiphon_server.integration.models.model import PromptMessage, ToolDefinition

LONGEST = 64
_STRANGE = re.compile(r"[^A-Za-z0-9_-]")


class ToolNames:
    """The tools of a request by the names that its model is told: `source__tool`.

    Where that is too long, or is another's, the name ends with a digest of the whole.
    """

    def __init__(
        self, tools: Iterable[ToolDefinition], messages: Iterable[PromptMessage] = ()
    ) -> None:
        names = dict.fromkeys(tool.name for tool in tools)
        names.update(dict.fromkeys(it.tool for message in messages for it in message.calls))
        self._known: dict[str, str] = {}
        for name in names:
            self._known[_unlike(name, self._known)] = name
        self._told = {name: told for told, name in self._known.items()}

    def told(self, name: str) -> str:
        """The tool's name on the wire."""
        return self._told[name]

    def known(self, told: str) -> str:
        """The name of the tool that a model means; one that it invented as it says it."""
        return self._known.get(told, told)


def _unlike(name: str, others: dict[str, str]) -> str:
    plain = _STRANGE.sub("_", name.replace(".", "__", 1))
    if len(plain) <= LONGEST and plain not in others:
        return plain
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{plain[: LONGEST - 9]}_{digest}"
