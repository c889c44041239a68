"""Which server a command means, and what proves who is calling."""

import ipaddress
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from antiphon_client import DEFAULT_ADDRESS, ApiKey, Credentials, FileTokenStore, TokenStore
from antiphon_server.cli.console import CommandError
from antiphon_server.cli.paths import OPERATOR_FILE, SERVER_FILE, login_file

_PROBE_S = 1.0
_KEY_VARIABLE = "ANTIPHON_API_KEY"


@dataclass(frozen=True, slots=True)
class Access:
    """How to get in: credentials, or the tokens of an earlier login."""

    credentials: Credentials | None
    store: TokenStore | None


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


def local_server(data_dir: Path) -> str | None:
    """The address of this data folder's running server; else the default one if signed in there.

    What happens to listen on the default port may be somebody else's: it gets no key.
    """
    try:
        told = json.loads((data_dir / SERVER_FILE).read_text())
        address, pid = str(told["address"]), int(told["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        address, pid = "", 0
    if address and _is_alive(pid) and listens(address):
        return address
    known = bool(os.environ.get(_KEY_VARIABLE)) or login_file(DEFAULT_ADDRESS).exists()
    return DEFAULT_ADDRESS if known and listens(DEFAULT_ADDRESS) else None


def server_for(address: str, data_dir: Path) -> str:
    """The server that is meant. Raises CommandError if none listens there."""
    found = (address if listens(address) else None) if address else local_server(data_dir)
    if found is not None:
        return found
    if address:
        raise CommandError(f"no server listens on {address}. Is the address right?")
    if listens(DEFAULT_ADDRESS):
        raise CommandError(
            f"the server on {DEFAULT_ADDRESS} does not keep its data in {data_dir}. Give its "
            f"--data-dir here too, or run `antiphon login -a {DEFAULT_ADDRESS}`."
        )
    raise CommandError(f"no server runs on {data_dir}. Start one with `antiphon up`.")


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
    if key := os.environ.get(_KEY_VARIABLE):
        return Access(ApiKey(key, end_session), None)
    store = FileTokenStore(login_file(address))
    if store.load() is not None:
        return Access(None, store)
    if not is_loopback(address):
        raise CommandError(f"you are not signed in there. Run `antiphon login -a {address}`.")
    path = data_dir / OPERATOR_FILE
    try:
        return Access(ApiKey(path.read_text().strip(), end_session), None)
    except OSError as error:
        raise CommandError(
            f"{path}: {error.strerror}. If the server was started with another --data-dir, "
            f"give it here too; else run `antiphon login -a {address}`."
        ) from None


def is_loopback(address: str) -> bool:
    """Whether the address is on this machine."""
    host, _ = host_and_port(address)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
