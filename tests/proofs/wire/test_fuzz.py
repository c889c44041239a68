"""The fuzzer's short forms, what it found before, and that it finds what is there to find."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from google.protobuf.message import Message
from google.rpc import status_pb2

from antiphon.auth.v1.auth_service_pb2 import GetJwksResponse
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import DETAILS_KEY, status_of
from tests.e2e.contracts import LOST_OUTCOME, every_rpc
from tests.proofs.wire.fuzz import Campaign, Report
from tests.proofs.wire.inputs import Input
from tests.proofs.wire.targets import in_process, over_sockets
from tests.proofs.wire.trial import MISSED, Trials
from tests.proofs.wire.verdict import of_answer, of_error

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


@pytest.mark.proof
async def test_spoiled_requests_over_sockets(tmp_path: Path) -> None:
    """Each is answered or refused in a typed way; the server and a good client live on."""
    async with over_sockets(tmp_path) as target:
        report = await Campaign(target, 1, "sockets").run(3_000)
    assert report.wrong == [], report.line
    assert report.served > 0


@pytest.mark.proof
async def test_spoiled_requests_in_process(tmp_path: Path) -> None:
    """The same for a server in this process; every RPC of every contract had its turn."""
    async with in_process(tmp_path) as target:
        report = await Campaign(target, 2, "process").run(6_000)
    assert report.wrong == [], report.line
    assert set(report.rpcs) == {rpc.path for rpc in every_rpc()}


async def test_what_was_found_before(tmp_path: Path) -> None:
    """Inputs that once were answered as they should not be."""
    corpus = [msgspec.json.decode(path.read_bytes(), type=Input) for path in CORPUS]
    async with over_sockets(tmp_path, connections=1) as target:
        report = await Campaign(target, 0, "corpus").replay(corpus)
    assert report.wrong == []
    assert sum(report.outcomes.values()) == len(CORPUS)


def refusal(code: grpc.StatusCode, details: bytes | None = None) -> grpc.aio.AioRpcError:
    trailers = [(DETAILS_KEY, details)] if details is not None else []
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailers), "x")


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN])
def test_a_defect_is_a_problem(code: grpc.StatusCode) -> None:
    """INTERNAL and UNKNOWN are problems, typed or not."""
    typed = status_of(DomainError(Reason.INTERNAL)).SerializeToString()
    assert of_error(refusal(code)).problem
    assert of_error(refusal(grpc.StatusCode.INTERNAL, typed)).problem
    assert not of_error(refusal(code), {code}).problem


def test_a_refusal_without_its_reason_is_a_problem() -> None:
    """A bare code, a strange domain, the text of an exception."""
    fine = status_of(DomainError(Reason.NOT_FOUND))
    leaky = status_pb2.Status.FromString(fine.SerializeToString())
    leaky.message = "KeyError('canary')"
    strange = status_pb2.Status.FromString(fine.SerializeToString())
    strange.details[0].value = strange.details[0].value.replace(b"antiphon", b"somebody")
    code = grpc.StatusCode.NOT_FOUND
    assert not of_error(refusal(code, fine.SerializeToString())).problem
    for wrong in (None, leaky.SerializeToString(), strange.SerializeToString()):
        assert of_error(refusal(code, wrong)).problem


def test_an_answer_that_cannot_be_read_is_a_problem() -> None:
    """Bytes that are no message of the contract's type."""
    kind: type[Message] = GetJwksResponse
    assert of_answer(b"\xff\xff", kind)[0].problem
    assert not of_answer(b"", kind)[0].problem


async def test_a_good_client_that_gives_up_is_a_problem(tmp_path: Path) -> None:
    """One that can't even sign in is told of, as is one that is hardly served."""
    async with in_process(tmp_path) as target:
        campaign = Campaign(replace(target, operator_key="nobody's"), 3, "process")
        async with campaign.beside() as good:
            await asyncio.wait({good}, timeout=20)
    assert "it gave up" in campaign.report.wrong[0]
    assert Report("x", 1, seconds=10, served=10).wrong == []
    assert "9 calls served" in Report("x", 1, seconds=10, served=9).wrong[0]


class Forgetful(grpc.GenericRpcHandler):
    """A server of which no client ever learns the outcome."""

    def service(self, _details: grpc.HandlerCallDetails) -> Any:
        async def lose(_request: Any, context: Any) -> bytes:
            await context.abort(grpc.StatusCode.INTERNAL, LOST_OUTCOME)
            return b""

        return grpc.unary_unary_rpc_method_handler(lose)


async def test_an_outcome_that_is_never_told_is_a_problem() -> None:
    """An input may lose its outcome once, by gRPC's doing, but not each time."""
    server = grpc.aio.server(handlers=[Forgetful()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    rpc = next(it for it in every_rpc() if it.path.endswith("/WhoAmI"))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        trials = Trials(channel, {rpc.path: rpc}, lambda _: "")
        verdict = await trials.run(Input(rpc.path, "nobody", (b"",)))
    await server.stop(None)
    assert verdict.problem == MISSED
