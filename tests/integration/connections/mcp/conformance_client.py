"""What the official conformance package starts: our client, and what a person would do with it."""

import asyncio
import json
import os
import sys

import httpx2

from antiphon_server.integration.connections.mcp.adapters.connection import McpConnection
from antiphon_server.integration.connections.mcp.model import (
    ClientCredentials,
    Config,
    Credential,
    Endpoint,
    Limits,
    OAuth,
    Revision,
)
from antiphon_server.integration.connections.mcp.opening import open_connection
from antiphon_server.integration.connections.mcp.ports import Outside
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Definition,
    Json,
    SourceName,
    ToolCallId,
)
from antiphon_server.integration.tools.questions import (
    Action,
    Answer,
    Attendance,
    Pause,
    Question,
)
from antiphon_server.runtime.errors.domain_error import DomainError
from tests.runtime.egress.places import guarded

SCENARIO = os.environ["MCP_CONFORMANCE_SCENARIO"]
CONTEXT = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
REVISION: dict[str, Revision] = {"2025-11-25": "2025-11-25"}
PATIENT = Limits(open_s=100.0, call_s=100.0)
"""Dozens of scenarios start at once, on machines with few cores."""
METADATA_URL = "https://conformance-test.local/client-metadata.json"
VALUES: dict[str, Json] = {"string": "text", "number": 5, "integer": 5, "boolean": True}


def attended() -> Attendance:
    """Somebody who answers each question at once with what it suggests."""
    there: Attendance

    async def tell(question: Question) -> None:
        there.take(question.question_id, suggested(question))

    there = Attendance(tell)
    return there


def suggested(question: Question) -> Answer:
    """The defaults of a question's form."""
    fields = json.loads(question.schema or "{}").get("properties", {})
    content = {k: v["default"] for k, v in fields.items() if "default" in v}
    return Answer(Action.ACCEPTED, content)


class Browser:
    """Follows to where consent is given, and back."""

    async def ask(self, url: str) -> str:
        """Open the page; this authorization server consents at once."""
        async with httpx2.AsyncClient() as client:
            response = await client.get(url)
        return response.headers["location"]


def credential() -> Credential:
    """What the scenario has given this client."""
    if key := CONTEXT.get("private_key_pem"):
        return ClientCredentials(CONTEXT["client_id"], "", private_key_pem=key)
    if SCENARIO.startswith("auth/client-credentials"):
        return ClientCredentials(CONTEXT["client_id"], "", CONTEXT["client_secret"])
    return OAuth(
        "http://localhost:3000/callback",
        CONTEXT.get("client_id", ""),
        secret if "client_secret" in CONTEXT else None,
        CONTEXT.get("issuer", ""),
        METADATA_URL,
    )


async def secret() -> str:
    """The secret that the scenario has given this client."""
    return str(CONTEXT["client_secret"])


def arguments(definition: Definition) -> dict[str, Json]:
    """Some that its schema allows."""
    schema = json.loads(definition.input_schema)
    return {
        name: VALUES.get(rules.get("type", "string"), "text")
        for name, rules in schema.get("properties", {}).items()
        if isinstance(rules, dict)
    }


async def called(connection: McpConnection, call: Call) -> None:
    """Call, and call again as often as the call pauses."""
    while isinstance(pause := await connection.call(call), Pause):
        assert call.attendance is not None
        call.attendance.state = pause.state
        call.attendance.answers = {it.question_id: suggested(it) for it in pause.questions}


async def main() -> None:
    """List the tools, and call each as the scenario says, else once."""
    revision = REVISION.get(os.environ["MCP_CONFORMANCE_PROTOCOL_VERSION"], "auto")
    config = Config(SourceName("it"), Endpoint(sys.argv[1], credential()), revision, PATIENT)
    outside = Outside(guarded, consent=Browser())
    connection = await open_connection(config, outside)
    try:
        calls = CONTEXT.get("toolCalls")
        for definition in (await connection.discover()).values():
            given = [c["arguments"] for c in calls or () if f"it.{c['name']}" == definition.name]
            for asked in given if calls else [arguments(definition)]:
                call = Call(ToolCallId("1"), definition.name, asked, Caller("w"), attended())
                try:
                    await called(connection, call)
                except DomainError as error:
                    print(definition.name, error, file=sys.stderr)
    finally:
        await connection.close()


asyncio.run(main())
