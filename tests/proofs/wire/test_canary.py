"""A secret's value is in the calls that it signs, and nowhere else, whatever fails."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from google.protobuf.duration_pb2 import Duration

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon_client import AntiphonError, Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S, until
from tests.fakes.heard_places import Places, places
from tests.fakes.mcp_server import mcp_server
from tests.mesh.test_traces import collector
from tests.proofs.bench.processes import free_port
from tests.proofs.wire.other_kinds import told_of, used_elsewhere

CANARY = "c4nary-of-a-workspace"
BASIC = base64.b64encode(f"ada:{CANARY}".encode()).decode()
FORMS = (CANARY.encode(), BASIC.encode(), BASIC[6:-4].encode())
BAD = (f"{CANARY}\n{CANARY}", f" {CANARY}", f"{CANARY}é", CANARY * 600)


class Talkative(ServerProcess):
    """A server that writes all it can into its log, and shows what operators look at."""

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        super().__init__(home, variables=variables)
        self._command = tuple("debug" if it == "warning" else it for it in self._command)
        self.admin_port = free_port()
        place = self._command.index("--admin-port") + 1
        self._command = (*self._command[:place], str(self.admin_port), *self._command[place + 1 :])

    async def pages(self) -> AsyncIterator[tuple[str, bytes]]:
        """What its operator's port answers."""
        async with aiohttp.ClientSession() as session:
            for path in ("metrics", "healthz"):
                async with session.get(f"http://127.0.0.1:{self.admin_port}/{path}") as answer:
                    yield f"page {path}", await answer.read()


async def test_a_secret_is_told_to_nobody_but_whom_it_is_for(tmp_path: Path) -> None:
    """Not in logs, answers, errors, events, traces, figures, files, arguments or variables."""
    async with collector() as (traces, otlp), mcp_server() as (outside, port), places() as others:
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{otlp}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8", "::1/128"]',
        }
        server = Talkative(tmp_path, told)
        async with all_of([server]), server.client() as client:
            await client.create_conversation()
            workspace = (await anext(client.list_workspaces())).workspace_id
            answers = await _used(client, workspace, port, others)
            answers += [it async for it in _events(client, workspace)]
            await until(lambda: any("PutSecret" in it.name for _, it in traces.spans), PATIENCE_S)
            seen = _files(tmp_path)  # with what is not yet in the database's own file
            assert any(name.endswith("-wal") for name in seen)
            seen |= {name: text async for name, text in server.pages()}
            seen |= {f"/proc {name}": text for name, text in _processes(server.pid)}
        seen |= {f"{name} at the end": text for name, text in _files(tmp_path).items()}
        seen["traces"] = repr(traces.spans).encode()
        seen |= {f"answer {number}": it.encode() for number, it in enumerate(answers)}
    assert [name for name, text in seen.items() if any(form in text for form in FORMS)] == []
    assert b"PutSecret" in seen["traces"]
    assert any(b'"level"' in text and b"debug" in text for text in seen.values())
    assert b"antiphon_tool_call_duration_seconds" in seen["page metrics"]
    heard = {(path, headers.get("authorization", "")) for path, headers in outside.told}
    assert {("/mcp", f"Bearer {CANARY}"), ("/mcp", f"Basic {BASIC}")} <= heard
    assert any(headers.get("x-token") == CANARY for _, headers in outside.told)
    assert [path for path, headers in outside.told if CANARY not in str(headers)].count("/mcp") > 0
    assert not any(
        form.decode() in str(headers)
        for path, headers in outside.told
        if path == "/elsewhere"
        for form in FORMS
    )
    _signed(others)


def _signed(others: Places) -> None:
    """Each kind had it, in the form that its connection says, where it was for it alone."""
    heard = {(kind, path, headers.get("authorization", "")) for kind, path, headers in others.heard}
    assert ("http", "/fails", f"Basic {BASIC}") in heard
    assert ("grpc", "grpc.health.v1.Health", f"Bearer {CANARY}") in heard
    assert {it["x-token"] for kind, _, it in others.heard if kind == "websocket"} == {CANARY}
    elsewhere = [str(headers) for _, path, headers in others.heard if path == "/elsewhere"]
    assert elsewhere
    assert not any(form.decode() in it for it in elsewhere for form in FORMS)


async def _used(client: Client, workspace: str, port: int, others: Places) -> list[str]:
    """Use it in all ways, and fail in all ways; what was answered."""
    answers = []
    for bad in BAD:
        with pytest.raises(AntiphonError) as refused:
            await client.put_secret(workspace, "bad", bad)
        assert refused.value.reason == "INVALID_ARGUMENT"
        answers.append(told_of(refused.value))
    answers.append(str(await client.put_secret(workspace, "it", CANARY)))
    bearer = pb.Credential(bearer="it")
    header = pb.Credential(header=pb.HeaderCredential(name="X-Token", secret="it"))
    basic = pb.Credential(basic=pb.BasicCredential(user="ada", secret="it"))
    here = f"http://127.0.0.1:{port}"
    wanted = {
        "bearer": (f"{here}/mcp", bearer),
        "header": (f"{here}/mcp", header),
        "basic": (f"{here}/mcp", basic),
        "nobody": (f"{here}/mcp", None),
        "refused": (f"{here}/refused", bearer),
        "moved": (f"{here}/moved", bearer),
        "silent": (f"{here}/silent", bearer),
        "untrusted": (f"https://127.0.0.1:{port}/mcp", basic),
        "gone": ("http://127.0.0.1:9/mcp", header),
    }
    for name, (url, credential) in wanted.items():
        limits = pb.ConnectionLimits(call_timeout=Duration(seconds=2))
        one = pb.Connection(name=name, mcp=pb.McpTarget(url=url), credential=credential)
        one.limits.CopyFrom(limits)
        answers.append(str(await client.create_connection(workspace, one)))
    tested = await asyncio.gather(*(client.test_connection(workspace, it) for it in wanted))
    up = {it.name for it in tested if it.status.state == pb.CONNECTION_STATE_UP}
    assert up == {"bearer", "header", "basic", "nobody"}
    answers += map(str, tested)
    for name in up:
        answers.append(str(await client.call_tool(workspace, f"{name}.add", {"a": 1, "b": 2})))
    answers += [str(it) async for it in client.list_tools(workspace)]
    answers += await used_elsewhere(client, workspace, others)
    await client.set_egress_rules(workspace, pb.EgressRules(hosts=["a.example"]))
    answers.append(str(await client.test_connection(workspace, "bearer")))
    assert "EGRESS_DENIED" in answers[-1]
    with pytest.raises(AntiphonError) as denied:
        await client.call_tool(workspace, "bearer.add", {"a": 1, "b": 2})
    answers.append(told_of(denied.value))
    answers.append(str(await client.rotate_secret_keys()))
    answers += [str(it) async for it in client.list_secrets(workspace)]
    answers += [str(it) async for it in client.list_connections(workspace)]
    return answers


async def _events(client: Client, workspace: str) -> AsyncIterator[str]:
    """All that was told in the logs of the workspace, its conversations and the security trail."""
    scopes = [f"workspaces/{workspace}"]
    scopes += [f"conversations/{it.conversation_id}" async for it in client.list_conversations()]
    for scope in scopes:
        yield str(await client.read_events(scope))
    async for event in client.list_security_events():
        yield str(event)


def _files(folder: Path) -> dict[str, bytes]:
    """All that the server wrote: its log, its database with what is beside it, its keys."""
    return {str(it): it.read_bytes() for it in folder.rglob("*") if it.is_file()}


def _processes(pid: int) -> Iterator[tuple[str, bytes]]:
    """What the system shows of the server and of all that it has started."""
    ours = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for one in ours:
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                yield f"{one.pid}/{name}", Path("/proc", str(one.pid), name).read_bytes()
