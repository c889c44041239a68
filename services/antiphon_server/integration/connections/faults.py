"""What went wrong on the way to what is outside: all libraries' errors as a few causes of ours."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.retry_after import seconds_of

RETRY_S = 5.0
_MOST_ERRORS = 20


class Cause(IntEnum):
    """Values are those of the contract's ConnectionCause."""

    REFUSED = 1
    NAME_NOT_FOUND = 2
    NO_ROUTE = 3
    TIMEOUT = 4
    CLOSED = 5
    TLS_FAILED = 6
    CERTIFICATE_REFUSED = 7
    HTTP_STATUS = 8
    NOT_THE_PROTOCOL = 9
    NOT_SERVING = 10
    PROGRAM_NOT_FOUND = 11
    PROGRAM_ENDED = 12


@dataclass(frozen=True, slots=True)
class Fault:
    """A cause, and the status of an answer that was one, with the seconds that it asks for."""

    cause: Cause
    http_status: int = 0
    retry_after_s: float | None = None

    @property
    def metadata(self) -> Mapping[str, str]:
        """As CONNECTION_UNAVAILABLE has it."""
        status = {"http_status": str(self.http_status)} if self.http_status else {}
        return {"cause": self.cause.name, **status}


def unreachable(connection: str, fault: Fault | None = None) -> DomainError:
    """A request that did not get there, or got no answer; None if nobody knows why."""
    error = DomainError(
        Reason.CONNECTION_UNAVAILABLE,
        retry_after=RETRY_S,
        connection=connection,
        state="UNREACHABLE",
    )
    error.metadata.update(fault.metadata if fault is not None else {})
    return error


def answered(http_status: int, retry_after: str = "") -> Fault:
    """It answered so, perhaps with that header."""
    return Fault(Cause.HTTP_STATUS, http_status, seconds_of(retry_after))


_BY_KIND: tuple[tuple[type[Exception], Cause], ...] = (
    (ssl.SSLCertVerificationError, Cause.CERTIFICATE_REFUSED),
    (ssl.SSLError, Cause.TLS_FAILED),
    (socket.gaierror, Cause.NAME_NOT_FOUND),
    (ConnectionRefusedError, Cause.REFUSED),
    (ConnectionError, Cause.CLOSED),
    (TimeoutError, Cause.TIMEOUT),
)
# Libraries that are imported where they are first used are known by the names of their errors.
_BY_NAME = {
    "WSServerHandshakeError": Cause.NOT_THE_PROTOCOL,
    "ClientResponseError": Cause.NOT_THE_PROTOCOL,
    "BadStatusLine": Cause.NOT_THE_PROTOCOL,
    "InvalidHeader": Cause.NOT_THE_PROTOCOL,
    "ServerDisconnectedError": Cause.CLOSED,
    "ClientPayloadError": Cause.CLOSED,
    "RemoteProtocolError": Cause.CLOSED,
    "ReadError": Cause.CLOSED,
    "WriteError": Cause.CLOSED,
    "StreamError": Cause.CLOSED,
    "ConnectTimeout": Cause.TIMEOUT,
    "ReadTimeout": Cause.TIMEOUT,
    "WriteTimeout": Cause.TIMEOUT,
    "PoolTimeout": Cause.TIMEOUT,
}
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL})


def fault_of(error: BaseException) -> Fault | None:
    """What is at the bottom of what a library has raised."""
    chain = list(_chain(error))
    for kind, cause in _BY_KIND:
        if any(isinstance(each, kind) for each in chain):
            return Fault(cause)
    if any(isinstance(each, OSError) and each.errno in _NO_ROUTE for each in chain):
        return Fault(Cause.NO_ROUTE)
    chain.reverse()  # the lowest knows best
    named = (_BY_NAME.get(type(each).__name__) for each in chain)
    found = next((cause for cause in named if cause is not None), None)
    return Fault(found) if found is not None else None


_NOT_STARTED = (FileNotFoundError, PermissionError, NotADirectoryError)
_CONNECTION_CLOSED = -32000
"""The code of MCP's SDK for a program that speaks no longer."""


def program_fault(error: BaseException) -> Fault:
    """The same for a program that was to be started, and to speak."""
    chain = list(_chain(error))
    if any(isinstance(each, TimeoutError) for each in chain):
        return Fault(Cause.TIMEOUT)
    if any(isinstance(each, _NOT_STARTED) or _no_program(each) for each in chain):
        return Fault(Cause.PROGRAM_NOT_FOUND)
    closed = any(getattr(each, "code", 0) == _CONNECTION_CLOSED for each in chain)
    lost = any(isinstance(each, ConnectionError) for each in chain)
    return Fault(Cause.PROGRAM_ENDED if closed or lost else Cause.NOT_THE_PROTOCOL)


def _no_program(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOEXEC


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised for."""
    found: list[BaseException] = [error]
    for _ in range(_MOST_ERRORS):
        if not found:
            return
        here = found.pop()
        yield here
        if isinstance(here, BaseExceptionGroup):
            found.extend(here.exceptions)
        below = here.__cause__ or here.__context__  # also of what was raised "from None"
        if below is not None:
            found.append(below)


# gRPC's core says in words alone what went wrong below it; the first that fits counts.
_BY_WORDS = tuple(
    (re.compile(words, re.IGNORECASE), cause)
    for words, cause in (
        ("CERTIFICATE_VERIFY_FAILED|Hostname Verification", Cause.CERTIFICATE_REFUSED),
        ("handshake failed|SSL_ERROR", Cause.TLS_FAILED),
        ("Connection refused", Cause.REFUSED),
        ("unreachable|no route", Cause.NO_ROUTE),
        ("timed? ?out|deadline", Cause.TIMEOUT),
        ("http1.x server|parsing HTTP/2|http2 header", Cause.NOT_THE_PROTOCOL),
        ("Socket closed|reset by peer|broken pipe|GOAWAY|RST_STREAM", Cause.CLOSED),
    )
)
_STATUS = re.compile(r"HTTP(?:2 header with)? status: (\d{3})", re.IGNORECASE)


def fault_in_words(said: str) -> Fault | None:
    """What gRPC's own words for a failed call say."""
    status = _STATUS.search(said)
    if status is not None:
        return answered(int(status[1]))
    found = next((cause for words, cause in _BY_WORDS if words.search(said)), None)
    return Fault(found) if found is not None else None
