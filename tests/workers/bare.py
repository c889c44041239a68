"""Workers that say what a test says, frame by frame: bare streams, and no library between."""

import asyncio
from contextlib import suppress
from typing import Any

import grpc

from antiphon.auth.v1 import auth_service_pb2 as auth_pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.dispatcher.v1 import worker_pb2
from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceStub
from antiphon_server.runtime.encoding.ids import new_id
from tests.e2e.refusals import reason_in, reason_of
from tests.e2e.until import SOON_S


async def token_of(channel: grpc.aio.Channel, key: str) -> str:
    """An access token of a new session of the key's."""
    request = auth_pb.LoginRequest(api_key=auth_pb.ApiKeyCredential(api_key=key))
    return (await AuthServiceStub(channel).Login(request)).tokens.access_token


def signed(token: str) -> tuple[tuple[str, str], ...]:
    """What goes with a call."""
    return (("authorization", f"Bearer {token}"),) if token else ()


def introduced(*handlers: str, **more: Any) -> worker_pb2.Hello:
    """Who a worker is that serves these."""
    about: dict[str, Any] = {"worker_id": new_id("worker"), "deployment": "bare", "slots": 4} | more
    offers = [worker_pb2.OfferedHandler(name=it) for it in handlers]
    return worker_pb2.Hello(handlers=offers, **about)


class BareWorker:
    """One stream of a worker."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self.stream: Any = WorkerServiceStub(channel).Work(metadata=signed(token))

    async def say(self, **frame: Any) -> None:
        """Write a frame; why a stream has ended already, reading says."""
        with suppress(grpc.aio.AioRpcError):
            await self.stream.write(pb.WorkRequest(**frame))

    async def welcomed(self, hello: worker_pb2.Hello) -> worker_pb2.Welcome:
        """Say who it is, and be taken on."""
        await self.say(hello=hello)
        return await self.told("welcome")  # type: ignore[no-any-return]

    async def told(self, kind: str) -> Any:
        """The next frame of that kind; others are left."""
        async with asyncio.timeout(SOON_S):
            while True:
                frame = await self.stream.read()
                assert frame is not grpc.aio.EOF, "the stream has ended"
                if frame.WhichOneof("frame") == kind:
                    return getattr(frame, kind)

    async def rejected(self, **frame: Any) -> str:
        """Why the frame was not taken."""
        await self.say(**frame)
        return reason_in((await self.told("rejected")).error)

    async def ended(self) -> str:
        """Why the stream ends, sooner or later; "" if it ends well."""
        try:
            async with asyncio.timeout(SOON_S):
                while await self.stream.read() is not grpc.aio.EOF:
                    pass
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        return ""

    def cut(self) -> None:
        """End the stream without a word."""
        self.stream.cancel()


def text(turn: Any, sequence: int, said: str) -> dict[str, Any]:
    """A piece of the answer to what was assigned, as a frame."""
    return {
        "output": worker_pb2.Output(
            turn_id=turn.turn_id, fence=turn.fence, sequence=sequence, text=said
        )
    }


def finish(turn: Any, sequence: int) -> dict[str, Any]:
    """The end of what was assigned, as a frame."""
    end = worker_pb2.Finish(turn_id=turn.turn_id, fence=turn.fence, sequence=sequence)
    return {"finish": end}


def question(turn: Any, number: int) -> dict[str, Any]:
    """A question to people, of a turn that was assigned."""
    asked = worker_pb2.AskedQuestion(message="Who is there?")
    about = {"turn_id": turn.turn_id, "fence": turn.fence}
    return {"ask": worker_pb2.Ask(**about, number=number, question=asked)}


def frames_about(turn: Any) -> dict[str, dict[str, Any]]:
    """What a worker may say of a turn that was assigned, by the frames' names."""
    about = {"turn_id": turn.turn_id, "fence": turn.fence}
    return {
        "accept": {"accept": worker_pb2.Accept(**about)},
        "decline": {"decline": worker_pb2.Decline(**about)},
        "output": text(turn, turn.sequence + 1, "never"),
        "ask": question(turn, 1),
        "finish": finish(turn, turn.sequence),
    }


def every_frame(turn: Any, hello: worker_pb2.Hello) -> dict[str, dict[str, Any]]:
    """All that a worker may say, by the frames' names."""
    return {
        "hello": {"hello": hello},
        "credit": {"credit": worker_pb2.Credit(slots=9)},
        **frames_about(turn),
        "heartbeat": {"heartbeat": worker_pb2.Heartbeat(turn_ids=[turn.turn_id])},
        "drain": {"drain": worker_pb2.Drain()},
        "refresh": {"refresh": worker_pb2.RefreshWorkerToken(access_token="x")},
    }
