"""Which server a command means, and what proves who is calling."""

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from antiphon_client import (
    DEFAULT_ADDRESS,
    ApiKey,
    Credentials,
    FileTokenStore,
    Tls,
    TokenStore,
)
from antiphon_server.cli.console import CommandError, aside
from antiphon_server.cli.logins import hint
from antiphon_server.cli.options import KEY_VARIABLE
from antiphon_server.cli.paths import OPERATOR_FILE, data_dir_or_default, login_file
from antiphon_server.cli.server_file import told_in
from antiphon_server.cli.trust import Spoken, hello, spoken, tls_for
from antiphon_server.runtime.net import loopback
from antiphon_server.runtime.storage.data_dir_lock import is_taken

_PROBE_S = 1.0
_LOOK_S = 0.1
_START_S = 15.0


@dataclass(frozen=True, slots=True)
class Access:
    """How to get in: credentials, or the tokens of an earlier login; and over what."""

    credentials: Credentials | None
    store: TokenStore | None
    tls: Tls | None = None


def host_and_port(address: str) -> tuple[str, int]:
    """Take an address apart. Raises CommandError if it is none."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        if parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise CommandError(f"{address!r} is no address; write host:port, e.g. {DEFAULT_ADDRESS}")


def listens(address: str) -> bool:
    """Whether something takes connections there."""
    try:
        with socket.create_connection(host_and_port(address), timeout=_PROBE_S):
            return True
    except OSError:
        return False


def speaks(address: str) -> Spoken:
    """Whether TLS is spoken there; empty if nobody answers."""
    try:
        with socket.create_connection(host_and_port(address), timeout=_PROBE_S) as connection:
            connection.sendall(hello())
            return spoken(connection.recv(1))
    except OSError:
        return ""


def check_scheme(address: str) -> None:
    """Raise CommandError if the address is written with TLS and none is spoken, or without."""
    rest = address.rpartition("://")[2]
    secure = urlsplit(address).scheme == "https"
    match speaks(address):
        case "tls" if not secure:
            raise CommandError(f"the server on {rest} speaks TLS; write https://{rest}.")
        case "plain" if secure:
            raise CommandError(f"the server on {rest} does not speak TLS; write {rest}.")


def reached(address: str) -> str:
    """The address to sign in at, by default this machine's.

    Raises CommandError if nobody listens there, or if TLS is spoken otherwise than written.
    """
    address = address or DEFAULT_ADDRESS
    if not listens(address):
        raise CommandError(f"no server listens on {address}. Is the address right?")
    check_scheme(address)
    return address


def local_server(data_dir: Path) -> str | None:
    """The address of this data folder's running server; else the default one if signed in there.

    What happens to listen on the default port may be somebody else's: it gets no key.
    """
    address = _told_address(data_dir)
    if address and listens(address):
        return address
    known = bool(os.environ.get(KEY_VARIABLE)) or login_file(DEFAULT_ADDRESS).exists()
    return DEFAULT_ADDRESS if known and listens(DEFAULT_ADDRESS) else None


def server_for(address: str, data_dir: Path, start: str = "antiphon up") -> str:
    """The server that is meant. Raises CommandError if none listens there.

    It says that ``start`` starts one.
    """
    if address:
        return reached(address)
    found = local_server(data_dir) or started_server(data_dir)
    if found is not None:
        return found
    if signed_in := hint():
        raise CommandError(f"no server here is yours, but {signed_in}")
    if listens(DEFAULT_ADDRESS) and data_dir == data_dir_or_default(None) and not data_dir.exists():
        raise CommandError(
            f"you are not signed in. For the server on {DEFAULT_ADDRESS} run `antiphon login`; "
            "for one elsewhere add -a."
        )
    if listens(DEFAULT_ADDRESS):
        raise CommandError(
            f"no running server keeps its data in {data_dir}; the one on {DEFAULT_ADDRESS} has "
            f"another folder. Start one with `{start} --port 0`; or give the other's --data-dir "
            f"here too, or run `antiphon login -a {DEFAULT_ADDRESS}`."
        )
    raise CommandError(f"no running server keeps its data in {data_dir}. Start one with `{start}`.")


def started_server(data_dir: Path) -> str | None:
    """The address of a server that is about to say it; None if none is starting here.

    It listens before it says so: whoever asks in between would be told to start another one, on the
    same data. Raises CommandError if it does not say so for long.
    """
    until, is_told = time.monotonic() + _START_S, False
    while is_taken(data_dir) and not _told_address(data_dir):  # one that ends has told
        if time.monotonic() > until:
            raise CommandError(
                f"a server has its data in {data_dir}, but does not say where it listens: it may "
                "be starting still, so try again in a moment; or say where it is by -a host:port."
            )
        if not is_told:
            aside(f"· waiting for the server that is starting in {data_dir}")
            is_told = True
        time.sleep(_LOOK_S)
    return local_server(data_dir)


def _told_address(data_dir: Path) -> str:
    """What a process that is alive has written down; empty if none has."""
    told = told_in(data_dir)
    try:
        address, pid = str(told["address"]), int(told["pid"])
    except (ValueError, KeyError, TypeError):
        return ""
    return address if _is_alive(pid) else ""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def access_to(address: str, data_dir: Path, *, end_session: bool = True) -> Access:
    """What proves who is calling, at an address.

    An API key from the environment; else an earlier login's tokens; else, on this machine,
    the operator's key in the data directory. Raises CommandError if there is none.
    """
    tls = tls_for(address, data_dir)
    if key := os.environ.get(KEY_VARIABLE):
        return Access(ApiKey(key, end_session), None, tls)
    store = FileTokenStore(login_file(address))
    if store.load() is not None:
        return Access(None, store, tls)
    path = data_dir / OPERATOR_FILE
    if not (is_loopback(address) and data_dir.exists()):
        raise CommandError(f"you are not signed in there. Run `antiphon login -a {address}`.")
    try:
        return Access(ApiKey(path.read_text().strip(), end_session), None, tls)
    except OSError as error:
        raise CommandError(
            f"{path}: {error.strerror}. If the server was started with another --data-dir, "
            f"give it here too; else run `antiphon login -a {address}`."
        ) from None


def is_loopback(address: str) -> bool:
    """Whether the address is on this machine."""
    return loopback.is_loopback(host_and_port(address)[0])
