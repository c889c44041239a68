"""Which tools a workspace has, and what it has said of each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from antiphon_server.integration.tools.model import Definition, Rule, SourceName, State, ToolName
from antiphon_server.integration.tools.ports import RuleStore, Source
from antiphon_server.runtime.errors import DomainError, Reason

ALL = "*"
MOST_PLANNED = 64


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as a workspace has it; ``rule`` is what holds, said or not."""

    definition: Definition
    source: Source
    rule: Rule
    state: State

    @property
    def name(self) -> ToolName:
        """See :attr:`Definition.name`."""
        return self.definition.name


class Catalogue:
    """The tools of all sources."""

    def __init__(self, sources: Iterable[Source], rules: RuleStore) -> None:
        self._sources: Mapping[SourceName, Source] = {it.name: it for it in sources}
        self._rules = rules

    async def listed(self, workspace_id: str, query: str = "") -> Sequence[ListedTool]:
        """Those that have all words of ``query`` in name, title or description, by name."""
        words = query.casefold().split()
        said = await self._rules.rules(workspace_id)
        found = [
            _listed(source, definition, said)
            for source in self._sources.values()
            for definition in source.definitions().values()
            if _has(definition, words)
        ]
        return sorted(found, key=lambda tool: tool.name)

    async def get(self, workspace_id: str, name: str) -> ListedTool:
        """The tool. Raises DomainError TOOL_NOT_FOUND."""
        source = self._sources.get(SourceName(name.partition(".")[0]))
        definition = source.definitions().get(ToolName(name)) if source is not None else None
        if source is None or definition is None:
            raise DomainError(Reason.TOOL_NOT_FOUND, tool=name)
        return _listed(source, definition, await self._rules.rules(workspace_id))

    async def planned(self, workspace_id: str, names: Collection[str]) -> Sequence[ListedTool]:
        """Those of ``names`` that a model can be told of: 64 at most, by name."""
        tools = [
            tool
            for tool in await self.listed(workspace_id)
            if {tool.name, f"{tool.source.name}.{ALL}"} & set(names)
        ]
        usable = [tool for tool in tools if tool.rule is not Rule.NEVER]
        return [tool for tool in usable if tool.state is State.AVAILABLE][:MOST_PLANNED]

    async def set_rule(self, workspace_id: str, name: str, rule: Rule) -> ListedTool:
        """Say whether it may be called. Raises DomainError TOOL_NOT_FOUND."""
        tool = await self.get(workspace_id, name)
        await self._rules.set_rule(workspace_id, tool.name, rule)
        return await self.get(workspace_id, name)


def _listed(source: Source, definition: Definition, said: Mapping[ToolName, Rule]) -> ListedTool:
    unsaid = Rule.ALWAYS if source.trusted else Rule.ASK
    state = State.AWAY if source.away else State.AVAILABLE
    return ListedTool(definition, source, said.get(definition.name, unsaid), state)


def _has(definition: Definition, words: Iterable[str]) -> bool:
    text = f"{definition.name} {definition.title} {definition.description}".casefold()
    return all(word in text for word in words)
