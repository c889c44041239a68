"""What came of the calls by a connection, as far as it says how the connection is."""

from collections import deque

from antiphon_server.integration.tools.model import ToolName
from antiphon_server.runtime.errors import Reason

REMEMBERED = 10
FAILURES = 3
"""So many of the calls that are remembered make it DEGRADED."""
_ITS_FAULT = (Reason.CONNECTION_UNAVAILABLE, Reason.TOOL_TIMEOUT, Reason.TOOL_CALL_LOST)


class Outcomes:
    """The last ones, and the tools to which people have to consent first."""

    def __init__(self) -> None:
        self._failures: deque[str] = deque(maxlen=REMEMBERED)
        self._lacking: set[ToolName] = set()

    def remember(self, reason: Reason | None) -> bool:
        """Keep what came of a call; whether it is a reason to look at once how it is."""
        fault = reason in _ITS_FAULT
        self._failures.append(reason.value if reason is not None and fault else "")
        return fault and reason is not Reason.TOOL_TIMEOUT

    def lack(self, tool: ToolName, reason: Reason) -> bool:
        """Keep whether a person has to consent to more for a tool; True if that is new.

        Whoever consents has all servers begin anew.
        """
        new = reason is Reason.AUTHORIZATION_REQUIRED and tool not in self._lacking
        if new:
            self._lacking.add(tool)
        return new

    def lack_no_more(self, tool: ToolName) -> None:
        """A call of it went through."""
        self._lacking.discard(tool)

    @property
    def degraded(self) -> str:
        """The reason for which a connection that is there is not as it should be, else ""."""
        failures = [failure for failure in self._failures if failure]
        if len(failures) >= FAILURES:
            return failures[-1]
        return Reason.AUTHORIZATION_REQUIRED.value if self._lacking else ""
