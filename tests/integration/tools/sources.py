"""Sources of tools that do as the test says."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from antiphon_server.integration.tools.model import (
    Call,
    Definition,
    Result,
    ResultPart,
    SourceName,
    ToolName,
)
from antiphon_server.integration.tools.ports import Source

ANY = '{"type": "object"}'


class TestSource:
    """Has the tools that it is given, none of which is trusted."""

    __test__ = False
    trusted = False
    leads_to = "here"

    def __init__(
        self,
        *definitions: Definition,
        answer: Callable[[Call], Awaitable[Result]] | None = None,
        away: bool = False,
    ) -> None:
        self.name = SourceName("test")
        self.away = away
        self.why: Mapping[str, str] = {"state": "DOWN", "cause": "REFUSED"} if away else {}
        self.retry_after_s: float | None = None
        self.closed = 0
        self.called: list[Call] = []
        self._definitions = {it.name: it for it in definitions}
        self._answer = answer

    def tell(self, *definitions: Definition) -> None:
        """Have other tools from now on."""
        self._definitions = {it.name: it for it in definitions}

    def definitions(self) -> Mapping[ToolName, Definition]:
        return self._definitions

    async def call(self, call: Call) -> Result:
        self.called.append(call)
        if self._answer is None:
            return text("done")
        try:
            return await self._answer(call)
        except asyncio.CancelledError:
            self.closed += 1
            raise


class TestSources:
    """The same sources for every workspace."""

    __test__ = False

    def __init__(self, *sources: Source) -> None:
        self._sources = {it.name: it for it in sources}

    async def of(
        self, workspace_id: str, names: Collection[SourceName] | None = None
    ) -> Mapping[SourceName, Source]:
        return self._sources


def text(content: str) -> Result:
    """A result of one text."""
    return Result((ResultPart("text", content),))


def tool(name: str = "test.one", schema: str = ANY, output: str = "") -> Definition:
    """A tool that takes anything."""
    return Definition(ToolName(name), f"It does {name}.", schema, output)
