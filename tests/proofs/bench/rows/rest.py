"""What a call of a service over HTTP costs beside the bare request, and what its document does."""

import json
import time
from typing import Any

from antiphon_server.integration.connections.rest.documents import read
from antiphon_server.integration.connections.rest.operations import api
from antiphon_server.integration.tools.model import SourceName
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, paired
from tests.proofs.bench.processes import printed
from tests.proofs.bench.rows.tools import Counterpart, overheads

OPERATIONS = 1_000
MODELS = 300
"""Schemas that operations refer to, and each other."""


async def tool_rest(bench: Bench) -> list[Figure]:
    """Calls, and a large document."""
    arguments = {"key": "word " * 8}
    async with printed("tests.fakes.rest_service") as server:
        connections = [{"name": "it", "openapi": f"{server.line}/openapi.json"}]
        given = {"url": f"{server.line}/echo", "arguments": arguments}
        service = Counterpart("tool-rest", "it.echo", arguments, connections, "rest", given)
        figures = await overheads(bench, service)
    text = json.dumps(large_document()).encode()
    took, floor = list[float](), list[float]()
    for _ in range(bench.rounds):
        floor.append(_took_s(lambda: json.loads(text)))
        took.append(_took_s(lambda: _understood(text)))
    name = f"tool-rest: a document of {OPERATIONS:,} operations, {len(text) >> 10} KiB"
    return [*figures, paired(name, "s", took, floor, at_most(1, of_floor=False))]


def large_document() -> dict[str, Any]:
    """As large as those of large services: each operation has parameters, a body and answers."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "Large", "version": "1"},
        "paths": {f"/things{n}/{{id}}": {"post": _operation(n)} for n in range(OPERATIONS)},
        "components": {"schemas": {f"Model{n}": _model(n) for n in range(MODELS)}},
    }


def _operation(n: int) -> dict[str, Any]:
    words = "What it does, told in the two or three sentences that such documents have. " * 3
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/Model{n % MODELS}"}}}
    told: list[dict[str, Any]] = [
        {"name": name, "in": "query", "description": words[:80], "schema": {"type": "string"}}
        for name in ("filter", "order", "page", "limit")
    ]
    told.append({"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}})
    return {
        "operationId": f"change_{n}_thing",
        "summary": f"Change thing {n}",
        "description": words,
        "parameters": told,
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "Done.", "content": content}},
    }


def _model(n: int) -> dict[str, Any]:
    members: dict[str, Any] = {
        f"field{each}": {"type": "string", "description": "What it is.", "nullable": True}
        for each in range(12)
    }
    members["next"] = {"$ref": f"#/components/schemas/Model{(n + 1) % 10}"}
    members["kind"] = {"type": "string", "enum": ["small", "large"]}
    return {"type": "object", "required": ["field0"], "properties": members}


def _understood(text: bytes) -> None:
    found = api(read(text), SourceName("it"), address="https://large.example/openapi.json")
    assert len(found.definitions) == OPERATIONS


def _took_s(work: Any) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
