"""Bodies of answers: unpacked, and bounded by what they come to when they are."""

import zlib
from collections.abc import AsyncIterable, AsyncIterator

PIECE_BYTES = 64 * 1024
PACKING = "gzip"
"""What requests may say they take (Accept-Encoding)."""


class BodyTooLarge(ValueError):
    """There is more of it than was allowed, as sent or unpacked."""


class BodyGarbled(ValueError):
    """It is not packed as it says, or in a way that nobody asked for."""


async def unpacked(
    pieces: AsyncIterable[bytes], packing: str = "", most: int | None = None
) -> AsyncIterator[bytes]:
    """A body in pieces of at most 64 KiB, by its Content-Encoding; ``most`` bytes in all.

    Raises BodyTooLarge, BodyGarbled.
    """
    count, unpack = 0, _Unpacking(packing.strip().lower())
    async for piece in pieces:
        unpack.give(piece)
        while found := unpack.take():
            count += len(found)
            if most is not None and count > most:
                raise BodyTooLarge(f"more than {most} bytes")
            yield found
    unpack.end()


async def whole(pieces: AsyncIterable[bytes], packing: str = "", *, most: int) -> bytes:
    """All of a body, at most so many bytes. Raises BodyTooLarge, BodyGarbled."""
    return b"".join([piece async for piece in unpacked(pieces, packing, most)])


class _Unpacking:
    """Bytes go in, at most 64 KiB come out at once, however much they stand for."""

    def __init__(self, packing: str) -> None:
        if packing not in ("", "identity", "gzip", "x-gzip"):
            raise BodyGarbled("packed in a way that nobody asked for")
        self._packed = packing not in ("", "identity")
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._waits, self._began = b"", False

    def give(self, piece: bytes) -> None:
        self._waits += piece
        self._began = True

    def take(self) -> bytes:
        if not self._packed:
            found, self._waits = self._waits[:PIECE_BYTES], self._waits[PIECE_BYTES:]
            return found
        if self._inflate.unused_data or (self._inflate.eof and self._waits):
            raise BodyGarbled("it goes on behind the end of what is packed")
        try:
            found = self._inflate.decompress(self._waits, PIECE_BYTES)
        except zlib.error:
            raise BodyGarbled("not packed as it says") from None
        self._waits = self._inflate.unconsumed_tail
        return found

    def end(self) -> None:
        if self._packed and self._began and not self._inflate.eof:
            raise BodyGarbled("it ends within what is packed")
