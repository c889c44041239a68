"""Every RPC has an id, a line in the log, and a place in the metrics."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from antiphon.context.v1 import context_service_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.telemetry import TelemetryInterceptor
from antiphon_server.runtime.rpc.methods import Method
from antiphon_server.runtime.telemetry.current_rpc import current_request_id
from antiphon_server.runtime.telemetry.logs import REDACTED, configure_logging
from antiphon_server.runtime.telemetry.metrics import RpcMetrics
from tests.e2e.until import PATIENCE_S, until
from tests.runtime.events_service import HEAD, Events, failure, on_a_port, read

METHOD = "/antiphon.events.v1.EventService/"


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """Logs as they are in production: a rotating file of JSON."""
    path = tmp_path / "logs" / "antiphon.log"
    configure_logging("debug", "json", path)
    yield path
    _let_go()


def _let_go() -> None:
    root = logging.getLogger()
    for handler in [h for h in root.handlers if getattr(h, "_ours", False)]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(logging.WARNING)
    structlog.reset_defaults()


def lines(path: Path, **having: object) -> list[dict[str, Any]]:
    """The entries of the log that have those values."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [e for e in entries if all(e.get(k) == v for k, v in having.items())]


@pytest.fixture
def metrics() -> RpcMetrics:
    return RpcMetrics()


@pytest.fixture(params=["local", "real"])
async def stub(
    request: pytest.FixtureRequest, metrics: RpcMetrics, events: Events
) -> AsyncIterator[Any]:
    table = LocalServer([TelemetryInterceptor(metrics), ErrorInterceptor()])
    stubs.add_EventServiceServicer_to_server(events, table)
    events.inner = stubs.EventServiceStub(table.channel())
    if request.param == "local":
        yield events.inner
        return
    async with on_a_port(table) as channel:
        yield stubs.EventServiceStub(channel)


async def test_a_safe_request_id_is_kept(stub: Any) -> None:
    """The caller's id is used; one that could forge a log line is not."""
    assert (
        await stub.GetHead(HEAD, metadata=(("x-request-id", "abc-12345"),))
    ).cursor == "abc-12345"
    for unsafe in ("short", "with space in it", "x" * 200):
        response = await stub.GetHead(HEAD, metadata=(("x-request-id", unsafe),))
        assert response.cursor.startswith("req_")
    assert current_request_id() == ""


async def test_an_inner_call_has_its_callers_id(stub: Any) -> None:
    """A call between services in one process is found by the same id."""
    metadata = (("x-request-id", "outer-call-1"),)
    assert (await stub.ReadEvents(read("inner"), metadata=metadata)).cursor == "outer-call-1"


async def test_an_error_tells_the_request_id(stub: Any) -> None:
    """It is in the trailing metadata of every error, and in the details of INTERNAL."""
    metadata = (("x-request-id", "failing-1"),)
    error = await failure(stub.ReadEvents(read("missing"), metadata=metadata))
    assert (error.trailing_metadata() or {})["x-request-id"] == "failing-1"
    error = await failure(stub.ReadEvents(read("defect"), metadata=metadata))
    assert domain_error_of(error).metadata == {"request_id": "failing-1"}
    assert error.details() == "The server made a mistake; quote request id failing-1."


async def test_one_line_an_rpc(stub: Any, log_file: Path) -> None:
    """The line has method, code, duration and id; a defect is logged once, with its trace."""
    metadata = (("x-request-id", "logged-01"),)
    await stub.GetHead(HEAD, metadata=metadata)
    await failure(stub.ReadEvents(read("missing"), metadata=metadata))
    await failure(stub.ReadEvents(read("defect"), metadata=metadata))
    # An answer may arrive before its line is written.
    await until(lambda: len(lines(log_file, message="rpc", request="logged-01")) == 3)
    entries = lines(log_file, message="rpc", request="logged-01")
    assert [(e["method"], e["code"]) for e in entries] == [
        (METHOD + "GetHead", "OK"),
        (METHOD + "ReadEvents", "NOT_FOUND"),
        (METHOD + "ReadEvents", "INTERNAL"),
    ]
    assert all(entry["ms"] >= 0 for entry in entries)
    defects = [e for e in lines(log_file) if "canary" in e.get("exception", "")]
    assert len(defects) == 1
    assert (defects[0]["level"], defects[0]["request"]) == ("error", "logged-01")


async def test_counts_and_durations(stub: Any, metrics: RpcMetrics, events: Events) -> None:
    """RPCs are counted by method and code, and those that run are known."""
    await stub.GetHead(HEAD)
    await failure(stub.ReadEvents(read("missing")))
    call = asyncio.ensure_future(stub.ReadEvents(read("hangs")))
    await events.begun.wait()
    registry = CollectorRegistry()
    registry.register(metrics)
    text = generate_latest(registry).decode()
    count = 'antiphon_rpc_duration_seconds_count{code="%s",method="' + METHOD + '%s"} 1.0'
    assert count % ("OK", "GetHead") in text
    assert count % ("NOT_FOUND", "ReadEvents") in text
    assert f'antiphon_rpc_running{{method="{METHOD}ReadEvents"}} 1.0' in text
    call.cancel()
    await asyncio.wait([call])
    await asyncio.wait_for(events.ended.wait(), PATIENCE_S)
    await asyncio.sleep(0)
    assert "CANCELLED" in metrics.method(METHOD + "ReadEvents").by_code
    assert metrics.method(METHOD + "ReadEvents").running == 0


async def test_ids_of_the_request_are_bound(metrics: RpcMetrics, log_file: Path) -> None:
    """What a handler logs names the workspace and conversation of its request."""
    log = structlog.get_logger("test")

    async def handler(_request: Any, _context: Any) -> None:
        log.info("inside")

    call = TelemetryInterceptor(metrics).wrap(Method("/x/Y"), handler)
    table = LocalServer()
    context: Any = table.channel().begin("/x/Y", None, None)[1]
    await call(context_service_pb2.GetConversationRequest(conversation_id="conv_1"), context)
    log.info("outside")
    [inside] = lines(log_file, message="inside")
    [outside] = lines(log_file, message="outside")
    assert (inside["conversation"], "conversation" in outside) == ("conv_1", False)


class Tokens:
    async def verify(self, token: str) -> Principal:
        return Principal("user", UserId("user_1"), SessionId(token))


async def test_the_session_is_in_every_line(metrics: RpcMetrics, log_file: Path) -> None:
    """The caller's session is known to the RPC's own line and to its handler's, and to no other."""
    log = structlog.get_logger("test")

    async def handler(_request: Any, _context: Any) -> None:
        log.info("inside")

    method = Method(METHOD + "GetHead")
    inner = AuthenticationInterceptor(Tokens()).wrap(method, handler)
    call = TelemetryInterceptor(metrics).wrap(method, inner)
    metadata = (("authorization", "Bearer sess_1"),)
    context: Any = LocalServer().channel().begin("/x/Y", metadata, None)[1]
    await call(HEAD, context)
    log.info("outside")
    found = {e["message"]: e.get("session") for e in lines(log_file)}
    assert found == {"inside": "sess_1", "rpc": "sess_1", "outside": None}


async def test_the_session_is_in_a_defects_trace(metrics: RpcMetrics, log_file: Path) -> None:
    """And in what a task logs that the call has begun, also when that is over."""
    log, over = structlog.get_logger("test"), asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    async def later() -> None:
        await over.wait()
        log.info("later")

    async def handler(_request: Any, _context: Any) -> None:
        tasks.append(asyncio.create_task(later()))
        raise RuntimeError("canary")

    method = Method(METHOD + "Subscribe", request_streaming=True)
    inner = AuthenticationInterceptor(Tokens()).wrap(method, handler)
    call = TelemetryInterceptor(metrics).wrap(method, ErrorInterceptor().wrap(method, inner))
    metadata = (("authorization", "Bearer sess_1"),)
    context: Any = LocalServer().channel().begin("/x/Y", metadata, None)[1]
    with pytest.raises(grpc.aio.AbortError):
        await call(None, context)
    over.set()
    await asyncio.gather(*tasks)
    log.info("outside")
    found = [e.get("session") for e in lines(log_file)]
    assert found == ["sess_1", "sess_1", "sess_1", None]


def test_secrets_do_not_reach_the_log(log_file: Path) -> None:
    """Passwords, tokens and keys are replaced, wherever they stand."""
    jwt = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
    secrets = ["hunter2hunter2", jwt, "sk-abcdefghijklmnop1234"]
    log = structlog.get_logger("test")
    log.info("login", password=secrets[0], access_token=jwt, nested={"api_key": secrets[2]})
    log.info(f"authorization: Bearer {jwt} and {secrets[2]}", tokens=17)
    logging.getLogger("stdlib").warning("header %s", f"Bearer {jwt}")
    try:
        raise ValueError(jwt)
    except ValueError:
        log.exception("failed")
    text = log_file.read_text()
    assert not [secret for secret in secrets if secret in text]
    assert lines(log_file, message="login")[0]["password"] == REDACTED
    assert '"tokens": 17' in text


@pytest.fixture
def errors(tmp_path: Path) -> Iterator[Path]:
    """A file for errors alone."""
    path = tmp_path / "data" / "errors.log"
    configure_logging("info", "console", None, path)
    yield path
    _let_go()


def test_errors_have_a_file_of_their_own(errors: Path) -> None:
    """With their trace, in JSON, without secrets; it is there when there is one."""
    log = structlog.get_logger("test")
    log.warning("no error")
    threads = threading.active_count()
    assert not errors.exists()
    try:
        raise RuntimeError("canary")
    except RuntimeError:
        log.exception("it failed", password="hunter2hunter2")
    assert threading.active_count() == threads + 1
    _let_go()
    [entry] = lines(errors)
    assert (entry["message"], entry["password"], entry["level"]) == ("it failed", REDACTED, "error")
    assert "canary" in entry["exception"]


def test_the_file_of_errors_is_bounded(errors: Path) -> None:
    """Three files of 1 MiB, and no more lines in memory than may wait, however much fails."""
    log = logging.getLogger("test")
    for number in range(500):
        log.error("%d %s", number, "x" * 20_000)
        time.sleep(0.001)
    _let_go()
    sizes = [each.stat().st_size for each in errors.parent.iterdir()]
    assert 1 < len(sizes) <= 3
    assert max(sizes) <= 1 << 20


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    """Nor does it fill standard error."""
    (tmp_path / "file").touch()
    configure_logging("info", "console", None, tmp_path / "file" / "errors.log")
    logging.getLogger("test").error("it failed")
    _let_go()


def test_stdlib_logs_are_structured_too(log_file: Path) -> None:
    """A library's log entry has the same form."""
    logging.getLogger("library").warning("%d things", 3)
    [entry] = lines(log_file, message="3 things")
    assert (entry["level"], entry["logger"]) == ("warning", "library")


def test_a_client_that_has_left_is_not_logged(log_file: Path) -> None:
    """What gRPC reports of it is dropped; what else it reports is not."""
    log = logging.getLogger("grpc._cython.cygrpc")
    for said in ('Failed "execute_batch": (x)', "Failed grpc_call_start_batch: 8"):
        try:
            raise grpc.aio.InternalError(said)
        except grpc.aio.InternalError:
            log.exception("ExecuteBatchError raised in core by servicer method [x]")
    text = log_file.read_text()
    assert "start_batch" in text
    assert "execute_batch" not in text


async def test_a_stream_that_ends_well_is_ok(stub: Any, metrics: RpcMetrics) -> None:
    """Streams count when they have ended."""
    call = stub.Subscribe(iter([pb.SubscribeRequest()]))
    assert len([frame async for frame in call]) == 1
    await until(lambda: bool(metrics.method(METHOD + "Subscribe").by_code))
    assert list(metrics.method(METHOD + "Subscribe").by_code) == ["OK"]
