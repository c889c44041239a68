"""Which tools a workspace has, and what it has said of each."""

import asyncio
import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from antiphon_server.integration.ledger.model import Money
from antiphon_server.integration.tools.model import (
    NOTHING_SAID,
    Definition,
    Digest,
    Rule,
    Said,
    SourceName,
    State,
    ToolName,
)
from antiphon_server.integration.tools.ports import (
    PinStore,
    RuleStore,
    ScreensTools,
    Source,
    Sources,
)
from antiphon_server.integration.tools.wording import NOTHING
from antiphon_server.runtime.errors import DomainError, Reason

ALL = "*"
MOST_PLANNED = 64
MOST_TOLD = 256 * 1024
"""Bytes of the tools' schemas and words that one model is told; a model reads them at each step."""
MOST_NAMED = 16
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as a workspace has it; ``rule`` is what holds, said or not.

    ``price`` is what a call costs, None for nothing. ``pin`` is what it was when it was taken; None
    before that, and for trusted sources.
    """

    definition: Definition
    source: Source
    rule: Rule
    pin: Digest | None
    price: Money | None = None

    @property
    def name(self) -> ToolName:
        """See :attr:`Definition.name`."""
        return self.definition.name

    @property
    def digest(self) -> Digest:
        """Of what it is and where its calls go: what an approval of a call is bound to."""
        told = self.definition.digest + self.source.leads_to.encode()
        return Digest(hashlib.sha256(told).digest())

    @property
    def state(self) -> State:
        """Whether it can be called: one that has changed can't, whatever its rule is."""
        if self.pin is not None and self.pin != self.definition.digest:
            return State.HELD
        return State.AWAY if self.source.away else State.AVAILABLE


@dataclass(frozen=True, slots=True)
class Plan:
    """The tools that a model is told of, and why it is told of none of some sources."""

    tools: Sequence[ListedTool]
    away: Sequence[DomainError]


class Catalogue:
    """The tools of all sources.

    ``filters`` look at each before a workspace takes it: one in which they find something is held.
    """

    def __init__(
        self,
        sources: Sources,
        rules: RuleStore,
        pins: PinStore,
        filters: ScreensTools | None = None,
    ) -> None:
        self._sources, self._rules, self._pins = sources, rules, pins
        self._filters = filters

    async def listed(self, workspace_id: str, query: str = "") -> Sequence[ListedTool]:
        """Those that have all words of ``query`` in name, title or description, by name."""
        sources = await self._sources.of(workspace_id)
        return await self._those_of(workspace_id, sources.values(), query.casefold().split())

    async def get(self, workspace_id: str, name: str) -> ListedTool:
        """The tool.

        Raises DomainError TOOL_NOT_FOUND, CONNECTION_UNAVAILABLE if nobody can know whether its
        source has it.
        """
        wanted = _source_of(name)
        source = (await self._sources.of(workspace_id, [wanted])).get(wanted)
        known = source.definitions() if source is not None else {}
        definition = known.get(ToolName(name))
        if source is not None and source.away and not known:
            raise unavailable(source)
        if source is None or definition is None:
            raise DomainError(Reason.TOOL_NOT_FOUND, tool=name)
        said = await self._rules.said(workspace_id, definition.name)
        pin = None
        if not source.trusted:
            pin = await self._pins.digest(workspace_id, definition.name)
        return _listed(source, definition, said, pin)

    async def used(self, workspace_id: str, name: str, *, by_filter: bool = False) -> ListedTool:
        """The tool, kept as it is with its first use; no filter looks at what a filter asks.

        Raises DomainError as :meth:`get`, and FILTER_UNAVAILABLE.
        """
        tools = [await self.get(workspace_id, name)]
        (tool,) = await self._taken(workspace_id, tools, None if by_filter else self._filters)
        return tool

    async def plan(self, workspace_id: str, names: Collection[str]) -> Plan:
        """Those of ``names`` that a model can be told of: 64 at most, by name, as far as they fit.

        They are kept as they are with their first use. Raises DomainError FILTER_UNAVAILABLE.
        """
        wanted = set(map(_source_of, names))
        sources = (await self._sources.of(workspace_id, wanted)).values()
        named = [it for it in sources if it.name in wanted]
        tools = [
            tool
            for tool in await self._those_of(workspace_id, named)
            if {tool.name, f"{tool.source.name}.{ALL}"} & set(names)
        ]
        usable = [tool for tool in tools if tool.rule is not Rule.NEVER]
        there = [tool for tool in usable if tool.state is State.AVAILABLE]
        fitting = _fitting(there[:MOST_PLANNED])
        _log_left_out(workspace_id, there, fitting)
        taken = await self._taken(workspace_id, fitting, self._filters)
        told = [tool for tool in taken if tool.state is State.AVAILABLE]
        return Plan(told, [unavailable(it) for it in named if it.away])

    async def set_rule(self, workspace_id: str, name: str, rule: Rule) -> ListedTool:
        """Say whether it may be called: it as it is now. Raises DomainError as :meth:`get`."""
        tool = await self.used(workspace_id, name)
        await self._rules.set_rule(workspace_id, tool.name, rule)
        return await self.get(workspace_id, name)

    async def set_price(self, workspace_id: str, name: str, price: Money | None) -> ListedTool:
        """Say what a call costs. Raises DomainError as :meth:`get`."""
        tool = await self.get(workspace_id, name)
        await self._rules.set_price(workspace_id, tool.name, price)
        return replace(tool, price=price)

    async def approve(self, workspace_id: str, name: str, seen: Digest) -> ListedTool:
        """Take it as it is now, and was ``seen``.

        Raises DomainError TOOL_CHANGED, CONTENT_BLOCKED, FILTER_UNAVAILABLE, and as :meth:`get`.
        """
        tool = await self.get(workspace_id, name)
        if tool.definition.digest != seen:
            raise DomainError(Reason.TOOL_CHANGED, tool=tool.name)
        if tool.source.trusted:
            return tool
        if self._filters is not None:
            await self._filters.described(workspace_id, tool.definition, seen=True)
        await self._pins.approve(workspace_id, tool.definition)
        return replace(tool, pin=seen)

    async def before(self, workspace_id: str, tool: ListedTool) -> Definition | None:
        """What a tool that is held was when it was taken."""
        held = tool.state is State.HELD
        return await self._pins.pinned(workspace_id, tool.name) if held else None

    async def _those_of(
        self, workspace_id: str, sources: Collection[Source], words: Collection[str] = ()
    ) -> Sequence[ListedTool]:
        said = await self._rules.all(workspace_id)
        pins = await self._kept(workspace_id, sources)
        found = [
            _listed(source, it, said.get(it.name, NOTHING_SAID), pins.get(it.name))
            for source in sources
            for it in source.definitions().values()
            if _has(it, words)
        ]
        return sorted(found, key=lambda tool: tool.name)

    async def _kept(
        self, workspace_id: str, sources: Iterable[Source]
    ) -> Mapping[ToolName, Digest]:
        """What was kept of tools; nothing is asked for what is built in."""
        if all(source.trusted for source in sources):
            return {}
        return await self._pins.pins(workspace_id)

    async def _taken(
        self, workspace_id: str, tools: Sequence[ListedTool], filters: ScreensTools | None
    ) -> Sequence[ListedTool]:
        new = [it.definition for it in tools if it.pin is None and not it.source.trusted]
        if not new:
            return tools
        if filters is not None:
            looks = (_looked_at(filters, workspace_id, it) for it in new)
            new = await asyncio.gather(*looks)
        pins = await self._pins.pin(workspace_id, new)
        return [replace(it, pin=None if it.source.trusted else pins[it.name]) for it in tools]


async def _looked_at(filters: ScreensTools, workspace_id: str, it: Definition) -> Definition:
    """What is kept of a new tool: one of which filters say something has been nothing yet."""
    try:
        await filters.described(workspace_id, it)
    except DomainError as refused:
        if refused.reason is not Reason.CONTENT_BLOCKED:
            raise
        return Definition(it.name, "", NOTHING)
    return it


def unavailable(source: Source) -> DomainError:
    """The error of who needs a source that is away."""
    retry_after = source.retry_after_s
    away = DomainError(
        Reason.CONNECTION_UNAVAILABLE, connection=source.name, retry_after=retry_after
    )
    away.metadata.update(source.why)
    return away


def _listed(source: Source, definition: Definition, said: Said, pin: Digest | None) -> ListedTool:
    unsaid = Rule.ALWAYS if source.trusted else Rule.ASK
    kept = None if source.trusted else pin
    return ListedTool(definition, source, said.rule or unsaid, kept, said.price)


def _fitting(tools: Sequence[ListedTool]) -> Sequence[ListedTool]:
    left, fitting = MOST_TOLD, list[ListedTool]()
    for tool in tools:
        told = tool.definition.input_schema + tool.definition.description
        size = len(told.encode())
        if size <= left:
            left -= size
            fitting.append(tool)
    return fitting


def _log_left_out(
    workspace_id: str, tools: Sequence[ListedTool], told: Sequence[ListedTool]
) -> None:
    """Nobody is told otherwise why a model does not know of a tool."""
    names = {it.name for it in told}
    left_out = [it.name for it in tools if it.name not in names]
    if left_out:
        some = ", ".join(left_out[:MOST_NAMED])
        log.warning("models are not told of %d tools: %s of %s", len(left_out), some, workspace_id)


def _source_of(name: str) -> SourceName:
    return SourceName(name.partition(".")[0])


def _has(definition: Definition, words: Iterable[str]) -> bool:
    text = f"{definition.name} {definition.title} {definition.description}".casefold()
    return all(word in text for word in words)
