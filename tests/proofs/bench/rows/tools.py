"""What a call of a tool costs beside the bare call: the same library, the same counterpart."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, paired, percentile
from tests.proofs.bench.processes import ROOT, printed

CLIENTS = 8
MANY = 16
"""A turn has one call, or so many; what they differ by is what the others cost."""
MOST_MS = at_most(2, of_floor=False)
MOST_CPU_MS = at_most(1, of_floor=False)
MODEL: dict[str, Any] = {"name": "bench/calls", "kind": "scripted", "model": "echo"}
Results = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A tool of a connection, and the bare call of it.

    ``connections`` and ``variables`` are settings of the server; ``bare`` is a module of
    tests/proofs/bench/bare, and ``given`` what its ``opened`` takes.
    """

    name: str
    tool: str
    arguments: Mapping[str, Any]
    connections: Sequence[Mapping[str, Any]]
    bare: str
    given: Mapping[str, Any]
    variables: Mapping[str, str] = field(default_factory=dict)


async def overheads(bench: Bench, it: Counterpart) -> list[Figure]:
    """What CallTool adds to the bare call, and what a further call in a turn does."""
    call = {"tool": it.tool, "arguments": json.dumps(it.arguments)}
    calls = {"one": [call], "many": [call] * MANY}
    models = [MODEL | {"script": {"calls": calls}}]
    variables = {"ANTIPHON_CONNECTIONS": json.dumps(it.connections), **it.variables}
    async with bench.antiphon(models=models, variables=variables) as ours:
        common: dict[str, Any] = {"seconds": bench.seconds / 2, "clients": CLIENTS}
        at = common | {"target": ours.target, "tool": it.tool}
        bare, called, one, many = await bench.in_turn(
            lambda: bench.load("tools", bare=it.bare, given=dict(it.given), **common),
            lambda: bench.load("tools", arguments=dict(it.arguments), **at),
            lambda: bench.load("tools", said="one", **at),
            lambda: bench.load("tools", said="many", **at),
        )
    more = [(ms(m) - ms(o)) / (MANY - 1) for m, o in zip(many, one, strict=True)]
    more_cpu = [(m["cpu_ms"] - o["cpu_ms"]) / (MANY - 1) for m, o in zip(many, one, strict=True)]
    bare_cpu = [it["cpu_ms"] for it in bare]
    return [
        paired(f"{it.name}: a call, p50", "ms", list(map(ms, called)), list(map(ms, bare))),
        paired(f"{it.name}: a call, CPU", "ms", [each["cpu_ms"] for each in called], bare_cpu),
        paired(f"{it.name}: added to a call, p50", "ms", added(called, bare, ms), (), MOST_MS),
        paired(f"{it.name}: added to a call, CPU", "ms", added(called, bare, cpu), (), MOST_CPU_MS),
        paired(f"{it.name}: a further call in a turn, its time", "ms", more, list(map(ms, bare))),
        paired(f"{it.name}: a further call in a turn, CPU", "ms", more_cpu, bare_cpu),
    ]


def ms(result: Mapping[str, Any]) -> float:
    """The middle of how long one client's calls took, in milliseconds."""
    return percentile(result["took_s"], 50) * 1000


def cpu(result: Mapping[str, Any]) -> float:
    """Processor time of a call, in milliseconds."""
    return float(result["cpu_ms"])


def added(ours: Results, bare: Results, of: Any) -> list[float]:
    """How much more ours is, round by round."""
    return [of(more) - of(less) for more, less in zip(ours, bare, strict=True)]


async def tool_mcp(bench: Bench) -> list[Figure]:
    """MCP over HTTP, and by a program."""
    arguments, ledger = {"key": "word " * 8}, str(bench.fresh() / "ledger")
    async with printed("tests.fakes.tool_server", ledger) as server:
        connections = [{"name": "it", "mcp": server.line}]
        given = {"url": server.line, "tool": "echo", "arguments": arguments}
        over_http = Counterpart("tool-mcp, HTTP", "it.echo", arguments, connections, "mcp", given)
        figures = await overheads(bench, over_http)
    words = [str(ROOT / "tests" / "fakes" / "tool_server.py"), ledger, "--stdio"]
    program = {"command": sys.executable, "arguments": words}
    by_program = Counterpart(
        "tool-mcp, stdio",
        "it.echo",
        arguments,
        [{"name": "it", "program": "it"}],
        "mcp_program",
        {"command": sys.executable, "words": words, "tool": "echo", "arguments": arguments},
        {"ANTIPHON_PROGRAMS": json.dumps({"it": program})},
    )
    return [*figures, *await overheads(bench, by_program)]
