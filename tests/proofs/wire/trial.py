"""Runs one input over a channel, real or local, and judges what came of it."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.message import DecodeError, Message

from antiphon_server.runtime.rpc.interceptors.validation import Undecodable
from tests.e2e.contracts import LOST_OUTCOME, Rpc
from tests.proofs.wire.inputs import Input
from tests.proofs.wire.verdict import HANG, Verdict, of_answer, of_error

HANG_S = 20.0
"""How long a call may be silent; a server that answers at all takes milliseconds."""
LISTEN_S = 0.02
MOST_FRAMES = 20
GARBAGE = b"\xff\xff\xff"
CANCELLED = Verdict("cancelled by the client")
TRIES = 4
PAUSE_S = 0.02
MISSED = "its outcome was lost each time"
Learn = Callable[[str, Message], None]


def nothing(_who: str, _answer: Message) -> None:
    """Learn nothing."""


class Trials:
    """Runs inputs. ``credentials`` are tokens by who calls; ``learn`` is told of answers."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        rpcs: Mapping[str, Rpc],
        credentials: Callable[[str], str],
        learn: Learn = nothing,
        *,
        local: bool = False,
    ) -> None:
        self._channel = channel
        self._rpcs = rpcs
        self._credentials = credentials
        self._learn = learn
        self._local = local

    async def run(self, trial: Input) -> Verdict:
        """Run one. A client that lost the outcome, by gRPC's own doing, tries again, slower.

        It is lost where one more message is written to a stream in the moment of its end.
        """
        for tried in range(TRIES):
            verdict = await self._run(trial, PAUSE_S * (4**tried - 1))
            if verdict.outcome != LOST_OUTCOME:
                return verdict
        return Verdict(LOST_OUTCOME, MISSED)

    async def _run(self, trial: Input, pause_s: float) -> Verdict:
        rpc = self._rpcs[trial.path]
        method = rpc.method
        token = self._credentials(trial.who)
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        options = {"metadata": metadata, "timeout": trial.deadline_s}
        kind = f"{_way(method.client_streaming)}_{_way(method.server_streaming)}"
        multi: Any = getattr(self._channel, kind)(trial.path)
        try:
            async with asyncio.timeout(HANG_S):
                if method.client_streaming:
                    return await self._converse(trial, rpc, multi(**options), pause_s)
                request = self._request(trial.sent[0], rpc)
                return await self._ask(trial, rpc, multi(request, **options))
        except TimeoutError:
            return Verdict(HANG, HANG)
        except grpc.aio.AioRpcError as error:
            if error.details() == LOST_OUTCOME:
                return Verdict(LOST_OUTCOME)
            return of_error(error, trial.excused)

    def _request(self, data: bytes, rpc: Rpc) -> Any:
        """What a channel takes; a local one has no decoding on its way."""
        if not self._local:
            return data
        try:
            return rpc.request_type.FromString(data)
        except (DecodeError, RecursionError):
            return Undecodable()

    async def _ask(self, trial: Input, rpc: Rpc, call: Any) -> Verdict:
        if trial.cancel_after is not None:
            await asyncio.sleep(0)
            call.cancel()
            with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
                await call.code()
            return CANCELLED
        if not rpc.method.server_streaming:
            return self._judge(trial, rpc, await call)
        first = await call.read()
        if first is grpc.aio.EOF:
            return await _ended(call, trial)
        verdict = self._judge(trial, rpc, first)
        try:
            return verdict if verdict.problem else await self._listen(trial, rpc, call, verdict)
        finally:
            call.cancel()

    async def _listen(self, trial: Input, rpc: Rpc, call: Any, verdict: Verdict) -> Verdict:
        """Read what comes at once; the stream may stay open."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTEN_S):
                for _ in range(MOST_FRAMES):
                    frame = await call.read()
                    if frame is grpc.aio.EOF:
                        return await _ended(call, trial)
                    verdict = self._judge(trial, rpc, frame)
                    if verdict.problem:
                        break
        return verdict

    async def _converse(self, trial: Input, rpc: Rpc, call: Any, pause_s: float) -> Verdict:
        """Send all, listen for a moment; if the stream is open then, garbage must end it."""
        reading = asyncio.create_task(self._read_all(trial, rpc, call))
        try:
            for at, data in enumerate(trial.sent):
                if at == trial.cancel_after:
                    return CANCELLED
                await asyncio.sleep(pause_s)  # before the first, too: the call may be refused
                await _write(call, self._request(data, rpc))
            if trial.cancel_after is not None:
                return CANCELLED
            await asyncio.wait({reading}, timeout=LISTEN_S + pause_s)
            if not reading.done():
                await _write(call, self._request(GARBAGE, rpc))
            return await reading
        finally:
            call.cancel()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read_all(self, trial: Input, rpc: Rpc, call: Any) -> Verdict:
        """Read to the end, or to what must not be."""
        while (frame := await call.read()) is not grpc.aio.EOF:
            verdict = self._judge(trial, rpc, frame)
            if verdict.problem:
                return verdict
        return await _ended(call, trial)

    def _judge(self, trial: Input, rpc: Rpc, data: bytes) -> Verdict:
        kind = message_factory.GetMessageClass(rpc.method.output_type)
        verdict, answer = of_answer(data, kind)
        if answer is not None:
            self._learn(trial.who, answer)
        return verdict


def _way(streaming: bool) -> str:
    return "stream" if streaming else "unary"


async def _write(call: Any, request: Any) -> None:
    """Send one more; a stream that has ended says why when it is read."""
    if not call.done():
        with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.UsageError):
            await call.write(request)


async def _ended(call: Any, trial: Input) -> Verdict:
    """Judge the status of a stream that has ended."""
    code = await call.code()
    if code is grpc.StatusCode.OK:
        return Verdict("OK")
    error = grpc.aio.AioRpcError(
        code, grpc.aio.Metadata(), await call.trailing_metadata(), await call.details()
    )
    if error.details() == LOST_OUTCOME:
        return Verdict(LOST_OUTCOME)
    return of_error(error, trial.excused)
