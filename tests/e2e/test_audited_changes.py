"""Who changes what calls may reach and what signs them: in the trail before it is answered."""

import asyncio
import json
from pathlib import Path

import pytest

from antiphon.auth.v1 import audit_pb2
from antiphon.auth.v1.access_pb2 import ROLE_ADMIN
from antiphon.integration.v1 import connection_pb2 as pb
from antiphon.integration.v1.tool_pb2 import (
    TOOL_RULE_ALWAYS,
    TOOL_RULE_NEVER,
    TOOL_RULE_UNSPECIFIED,
    TOOL_STATE_HELD,
)
from antiphon_client import AntiphonError, Client, Password
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.fakes.httpbin_server import httpbin_server

PASSWORD = "a long sentence of ann"
CANARY = "c4nary-of-the-trail"
FIRST, LAST = audit_pb2.SECURITY_EVENT_KIND_SECRET_STORED, 100
URL = "https://wiki.invalid/mcp"


async def _changed(client: Client) -> list[audit_pb2.SecurityEvent]:
    """What is in the trail of such changes, the oldest first."""
    found = [it async for it in client.list_security_events()][::-1]
    kinds = audit_pb2.SecurityEvent.DESCRIPTOR.fields_by_name
    return [it for it in found if FIRST <= kinds[str(it.WhichOneof("detail"))].number < LAST]


async def test_each_change_is_told_and_nothing_else(tmp_path: Path) -> None:
    """By whom, from where, of what: no value, no address; what changed nothing is not told."""
    server = ServerProcess(tmp_path)
    async with all_of([server]), server.client() as boss:
        await boss.create_conversation()
        workspace = (await anext(boss.list_workspaces())).workspace_id
        ann = await boss.create_user("ann", PASSWORD)
        await boss.add_member(workspace, ann.user_id, ROLE_ADMIN)
        async with server.client(Password("ann", PASSWORD)) as client:  # type: ignore[arg-type]
            await _change(client, workspace)
        await boss.rotate_secret_keys()
        await until_told(boss, 9)
        told = await _changed(boss)
        kinds = [str(it.WhichOneof("detail")) for it in told]
        assert kinds == [
            *("secret_stored", "secret_stored", "connection_created", "connection_updated"),
            *("egress_rules_changed", "egress_rules_changed"),
            *("connection_deleted", "secret_deleted", "secret_keys_rotated"),
        ]
        here = f"workspaces/{workspace}"
        details = [getattr(it, it.WhichOneof("detail") or "") for it in told]
        assert details[:8] == [
            audit_pb2.SecretStored(resource=here, name="it"),
            audit_pb2.SecretStored(resource=here, name="it", replaced=True),
            audit_pb2.ConnectionCreated(resource=here, name="wiki"),
            audit_pb2.ConnectionUpdated(
                resource=here, name="wiki", changed=["credential", "disabled"], secret="it"
            ),
            audit_pb2.EgressRulesChanged(resource=here, after=["a.example"]),
            audit_pb2.EgressRulesChanged(resource=here, before=["a.example"], after=[]),
            audit_pb2.ConnectionDeleted(resource=here, name="wiki"),
            audit_pb2.SecretDeleted(resource=here, name="it"),
        ]
        assert details[8].key_id.startswith("skey_")
        assert {it.actor for it in told[:8]} == {f"users/{ann.user_id}"}
        assert told[8].actor not in {"", f"users/{ann.user_id}"}
        assert all(it.address == "127.0.0.1" and it.session_id for it in told)
        assert CANARY not in str(told)
        assert URL not in str(told)


async def until_told(client: Client, count: int) -> None:
    """An answer waits for the trail, but not for a busy machine."""
    async with asyncio.timeout(PATIENCE_S):
        while len(await _changed(client)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _change(client: Client, workspace: str) -> None:
    """Change everything, some of it to what it is already, some of it in vain."""
    await client.put_secret(workspace, "it", CANARY)
    await client.put_secret(workspace, "it", f"{CANARY}-anew")
    wiki = pb.Connection(name="wiki", mcp=pb.McpTarget(url=URL))
    await client.create_connection(workspace, wiki)
    await client.create_connection(workspace, wiki)
    signed = pb.Connection(credential=pb.Credential(bearer="it"), disabled=True)
    signed.MergeFrom(wiki)
    for _ in range(2):
        await client.update_connection(workspace, signed, ["credential", "disabled"])
    rules = await client.set_egress_rules(workspace, pb.EgressRules(hosts=["a.example"]))
    with pytest.raises(AntiphonError):
        await client.set_egress_rules(workspace, pb.EgressRules(hosts=["b.example"], etag="old"))
    await client.set_egress_rules(workspace, rules)
    await client.set_egress_rules(workspace, pb.EgressRules())
    for _ in range(2):
        await client.delete_connection(workspace, "wiki")
        await client.delete_secret(workspace, "it")


async def test_what_a_killed_server_did_is_told_at_its_next_start(tmp_path: Path) -> None:
    """Killed as soon as it has answered, again and again: nothing is lost, nothing told twice."""
    server = ServerProcess(tmp_path)
    async with all_of([server]):
        async with server.client() as client:
            await client.create_conversation()
            workspace = (await anext(client.list_workspaces())).workspace_id
        for number in range(3):
            async with server.client() as client:
                names = [f"n{number}{it}" for it in range(8)]
                stored = [client.put_secret(workspace, it, CANARY) for it in names]
                await asyncio.gather(*stored)
            await server.restart()
        async with server.client() as client:
            kept = {it.name async for it in client.list_secrets(workspace)}
            await until_told(client, len(kept))
            names = [it.secret_stored.name for it in await _changed(client)]
        assert len(names) == len(set(names))
        assert set(names) == kept
        assert len(kept) == 24


async def test_what_is_said_of_tools_is_told(tmp_path: Path) -> None:
    """A rule with what it was before, and a tool taken anew; what is so already is not."""
    here = {"ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]'}
    server = ServerProcess(tmp_path, variables=here)
    async with httpbin_server() as url, all_of([server]), server.client() as boss:
        await boss.create_conversation()
        workspace = (await anext(boss.list_workspaces())).workspace_id
        await boss.create_connection(workspace, _given(url, "It pings."))
        await boss.test_connection(workspace, "it")
        for rule in (TOOL_RULE_NEVER, TOOL_RULE_NEVER, TOOL_RULE_ALWAYS, TOOL_RULE_UNSPECIFIED):
            await boss.set_tool_rule(workspace, "it.ping", rule)
        await boss.update_connection(workspace, _given(url, "It does."), ["openapi"])
        await boss.test_connection(workspace, "it")
        held = await boss.get_tool(workspace, "it.ping")
        assert held.state == TOOL_STATE_HELD
        for _ in range(2):
            await boss.approve_tool(workspace, held)
        await until_told(boss, 6)
        told = await _changed(boss)
        which = {"resource": f"workspaces/{workspace}", "tool": "it.ping"}
        digest = held.definition_sha256.hex()
        assert [it.tool_rule_changed for it in told if it.HasField("tool_rule_changed")] == [
            audit_pb2.ToolRuleChanged(**which, after="never"),
            audit_pb2.ToolRuleChanged(**which, before="never", after="always"),
            audit_pb2.ToolRuleChanged(**which, before="always"),
        ]
        assert [it.tool_approved for it in told if it.HasField("tool_approved")] == [
            audit_pb2.ToolApproved(**which, definition_sha256=digest)
        ]
        assert len(told) == 6


def _given(url: str, says: str) -> pb.Connection:
    """A connection with a tool of which its document says that."""
    ping = {"operationId": "ping", "description": says, "responses": {}}
    told = {"openapi": "3.1.0", "info": {"title": "it", "version": "1"}}
    document = json.dumps({**told, "paths": {"/ping": {"get": ping}}}).encode()
    target = pb.OpenApiTarget(base_url=url, document=document)
    return pb.Connection(name="it", openapi=target)


async def test_who_may_serve_what_is_told(tmp_path: Path) -> None:
    """Of whose workers, for whom, by whom; also by a server that was killed behind its answer."""
    server = ServerProcess(tmp_path)
    async with all_of([server]):
        async with server.client() as boss:
            await boss.create_conversation()
            workspace = (await anext(boss.list_workspaces())).workspace_id
            me = (await boss.who_am_i()).user.user_id
            program = (await boss.create_user("reviewer", program=True)).user_id
            for _ in range(2):
                await boss.allow_worker(workspace, "reviewer", program)
            await boss.allow_worker("global", "linter", program)
        await server.restart()
        async with server.client() as boss:
            for _ in range(2):
                await boss.forbid_worker(workspace, "reviewer", program)
            await until_told(boss, 3)
            told = await _changed(boss)
        here = f"workspaces/{workspace}"
        assert [getattr(it, it.WhichOneof("detail") or "") for it in told] == [
            audit_pb2.WorkerAllowed(resource=here, handler="reviewer"),
            audit_pb2.WorkerAllowed(resource="global", handler="linter"),
            audit_pb2.WorkerForbidden(resource=here, handler="reviewer"),
        ]
        assert {(it.actor, it.user_id) for it in told} == {(f"users/{me}", program)}
        assert all(it.address == "127.0.0.1" and it.session_id for it in told)
