"""Sources of tools that do as the test says."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from antiphon_server.integration.tools.model import (
    Call,
    Definition,
    Result,
    ResultPart,
    SourceName,
    ToolName,
)

ANY = '{"type": "object"}'


class TestSource:
    """Has the tools that it is given, none of which is trusted."""

    __test__ = False
    trusted = False

    def __init__(
        self,
        *definitions: Definition,
        answer: Callable[[Call], Awaitable[Result]] | None = None,
        away: bool = False,
    ) -> None:
        self.name = SourceName("test")
        self.away = away
        self.closed = 0
        self.called: list[Call] = []
        self._definitions = {it.name: it for it in definitions}
        self._answer = answer

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


def text(content: str) -> Result:
    """A result of one text."""
    return Result((ResultPart("text", content),))


def tool(name: str = "test.one", schema: str = ANY, output: str = "") -> Definition:
    """A tool that takes anything."""
    return Definition(ToolName(name), f"It does {name}.", schema, output)
