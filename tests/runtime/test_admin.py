"""The operator's port tells metrics and health."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from antiphon_server.runtime.process.admin import Admin
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.server import CannotListen
from antiphon_server.runtime.telemetry.metrics import RpcMetrics


@pytest.fixture
async def admin(health: Health) -> AsyncIterator[Admin]:
    metrics = RpcMetrics()
    metrics.method("/a.B/C").running += 1
    metrics.method("/a.B/C").ended("OK", 0.02)
    admin = Admin(health, [metrics])
    yield admin
    await admin.stop()


async def get(port: int, path: str) -> tuple[int, str]:
    """Fetch a path."""
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def test_metrics_are_exposed(admin: Admin) -> None:
    """Our collectors and the process's own are in Prometheus's format."""
    status, text = await get(await admin.start(0), "/metrics")
    assert status == 200
    line = 'antiphon_rpc_duration_seconds_bucket{code="OK",le="0.025",method="/a.B/C"} 1.0'
    assert line in text
    assert "process_resident_memory_bytes" in text


async def test_health_is_exposed(admin: Admin, health: Health) -> None:
    """503 until the whole serves; the parts are named."""
    port = await admin.start(0)
    await health.set("store", True)
    assert (await get(port, "/healthz"))[0] == 503
    await health.ready()
    metrics = (await get(port, "/metrics"))[1]
    assert "antiphon_serving 1.0" in metrics
    assert 'antiphon_part_serving{part="store"} 1.0' in metrics
    status, text = await get(port, "/healthz")
    assert (status, json.loads(text)) == (200, {"serving": True, "parts": {"store": True}})


async def test_a_process_that_answers_is_alive(admin: Admin, health: Health) -> None:
    """Whatever it says of its health: waiting for a part is no reason to be started again."""
    port = await admin.start(0)
    await health.set("store", False)
    assert (await get(port, "/healthz"))[0] == 503
    assert (await get(port, "/livez"))[0] == 200


async def test_other_requests_are_refused(admin: Admin) -> None:
    """Unknown paths, garbage and endless headers do no harm."""
    port = await admin.start(0)
    assert (await get(port, "/"))[0] == 404
    for garbage in (b"\r\n\r\n", b"x" * 100_000, b"POST /metrics HTTP/1.1\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(garbage)
        await writer.drain()
        answer = await reader.read()
        assert answer in (b"",) or answer.startswith(b"HTTP/1.1 405")
        writer.close()
    assert (await get(port, "/metrics"))[0] == 200


async def test_a_taken_port_is_a_clear_error(admin: Admin, health: Health) -> None:
    """The error names the address."""
    port = await admin.start(0)
    with pytest.raises(CannotListen, match=str(port)):
        await Admin(health).start(port)
