"""Where a caller is can't be made up."""

import ipaddress
import socket
from typing import Any

import grpc
import pytest

from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.addresses import (
    LOCAL,
    Callers,
    current_address,
    network_place,
    on_this_machine,
    region,
)
from antiphon_server.runtime.rpc.interceptors.address import AddressInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.methods import HEALTH, Method
from tests.runtime.events_service import on_a_port

PROXY = "ipv4:10.0.0.1:4711"
PROXIES = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "2001:db8::/32")))


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:203.0.113.7:4711", "203.0.113.7"),
        ("ipv6:[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:2::9%5D:4711", "2001:db8:1:2::/64"),
        ("ipv6:[fe80::1%25eth0]:4711", "fe80::/64"),
        ("ipv6:[::ffff:203.0.113.7]:4711", "203.0.113.7"),
        ("unix:/run/socket", "unix"),
        ("unix:", "unix"),
        ("local", "local"),
        ("ipv4:nonsense", "ipv4"),
        ("", ""),
    ],
)
def test_callers_are_told_apart_by_network(peer: str, address: str) -> None:
    """A port or the lower half of an IPv6 address makes nobody somebody else."""
    assert Callers().address(peer, ()) == address


def test_without_a_proxy_the_header_is_not_read() -> None:
    """Anybody may write it."""
    assert Callers().address(PROXY, [("x-forwarded-for", "198.51.100.1")]) == "10.0.0.1"


@pytest.mark.parametrize(
    ("header", "address"),
    [
        (["198.51.100.1"], "198.51.100.1"),
        (["192.0.2.66, 198.51.100.1"], "198.51.100.1"),
        (["192.0.2.66", "198.51.100.1"], "198.51.100.1"),
        ([" 198.51.100.1 "], "198.51.100.1"),
        (["198.51.100.1:1234"], "198.51.100.1"),
        (["[2001:db8:1:2::9]:1234"], "2001:db8:1:2::/64"),
        (["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        (["198.51.100.1, 10.0.0.2"], "10.0.0.2"),
        (["198.51.100.1, nonsense"], "10.0.0.1"),
        (["198.51.100.1,"], "10.0.0.1"),
        ([""], "10.0.0.1"),
        ([], "10.0.0.1"),
        (["192.0.2.66," * 5000 + "198.51.100.1"], "198.51.100.1"),
    ],
)
def test_a_proxy_names_the_caller_last(header: list[str], address: str) -> None:
    """What stands before its own entry the caller may have made up."""
    metadata = [("x-forwarded-for", value) for value in header]
    assert Callers(behind_proxy=True).address(PROXY, metadata) == address


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        (PROXY, "192.0.2.66, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (PROXY, "192.0.2.66, 198.51.100.1, 10.9.9.9, 2001:db8::1", "198.51.100.1"),
        (PROXY, "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (PROXY, "198.51.100.1, nonsense, 10.0.0.2", "10.0.0.2"),
        ("ipv4:192.0.2.66:1", "198.51.100.1", "192.0.2.66"),
        ("unix:/run/socket", "198.51.100.1", "unix"),
    ],
)
def test_named_proxies_are_passed_over(peer: str, header: str, address: str) -> None:
    """The last entry that is none of them is the caller; who is none is no proxy."""
    callers = Callers(behind_proxy=True, trusted=PROXIES)
    assert callers.address(peer, [("x-forwarded-for", header)]) == address


@pytest.mark.parametrize(
    ("peer", "admitted"),
    [
        (PROXY, True),
        ("ipv6:[2001:db8::1]:4711", True),
        ("ipv4:127.0.0.1:4711", True),
        ("ipv6:[::1]:4711", True),
        ("unix:", True),
        ("ipv4:192.0.2.66:1", False),
        ("ipv6:[2001:db9::1]:4711", False),
        ("ipv4:nonsense", False),
    ],
)
def test_nobody_calls_past_named_proxies(peer: str, admitted: bool) -> None:
    """But this machine itself; where no proxy is named, everybody does."""
    assert Callers(behind_proxy=True, trusted=PROXIES).admits(peer) is admitted
    assert Callers(trusted=PROXIES).admits(peer)
    assert Callers(behind_proxy=True).admits(peer)


@pytest.mark.parametrize(
    ("method", "refused"),
    [("/antiphon.auth.v1.AuthService/Login", True), (HEALTH + "Check", False)],
)
async def test_who_comes_past_the_proxy_is_refused(method: str, refused: bool) -> None:
    """Before anything is asked; who looks after the server may see whether it lives."""

    class Context:
        """One of a call past the proxy."""

        def peer(self) -> str:
            return "ipv4:192.0.2.66:1"

        def invocation_metadata(self) -> tuple[()]:
            return ()

    async def inner(request: bytes, context: Any) -> bytes:
        return request

    callers = Callers(behind_proxy=True, trusted=PROXIES)
    call = AddressInterceptor(callers).wrap(Method(method), inner)
    context: Any = Context()
    if not refused:
        assert await call(b"x", context) == b"x"
        return
    with pytest.raises(DomainError) as caught:
        await call(b"x", context)
    assert caught.value.reason is Reason.PERMISSION_DENIED


def test_a_proxy_that_says_nothing_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Where the header is missing; with it, and without a proxy, nothing is said."""
    callers = Callers(behind_proxy=True)
    callers.address(PROXY, [("x-forwarded-for", "198.51.100.1")])
    Callers().address(PROXY, ())
    assert not caplog.records
    for _ in range(3):
        callers.address("ipv4:127.0.0.1:1", ())
    [warning] = caplog.messages
    assert "127.0.0.1" in warning
    assert "x-forwarded-for" in warning


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("127.0.0.1", True),
        ("::/64", True),
        ("local", True),
        ("unix", True),
        ("192.0.2.1", False),
        ("2001:db8:1:2::/64", False),
        ("", False),
    ],
)
def test_this_machine_is_known(address: str, own: bool) -> None:
    """As addresses are written here, where ::1 is its network."""
    assert on_this_machine(address) is own


async def test_a_call_within_the_process_comes_from_its_caller() -> None:
    """Through a socket and then the local channel; outside of calls it is local."""
    seen: list[str] = []
    table = LocalServer([ErrorInterceptor(), AddressInterceptor(Callers(behind_proxy=True))])

    async def outer(request: bytes, context: object) -> bytes:
        seen.append(current_address())
        call: Any = table.channel().unary_unary("/test.S/Inner")
        return bytes(await call(request))

    async def inner(request: bytes, context: object) -> bytes:
        seen.append(current_address())
        return request

    handlers: dict[str, Any] = {
        "Outer": grpc.unary_unary_rpc_method_handler(outer),
        "Inner": grpc.unary_unary_rpc_method_handler(inner),
    }
    table.add_registered_method_handlers("test.S", handlers)
    async with on_a_port(table) as channel:
        metadata = (("x-forwarded-for", "192.0.2.9"),)
        call: Any = channel.unary_unary("/test.S/Outer")
        await call(b"x", metadata=metadata, timeout=5)
    await table.channel().unary_unary("/test.S/Inner")(b"x")
    assert seen == ["192.0.2.9", "192.0.2.9", LOCAL]


@pytest.mark.parametrize(
    ("address", "wide"),
    [
        ("198.51.100.7", "198.51.0.0/16"),
        ("2001:db8:1:2::/64", "2001:db8::/32"),
        ("local", "local"),
        ("unix", "unix"),
    ],
)
def test_addresses_are_in_regions(address: str, wide: str) -> None:
    """Of an address, or a network, as addresses are written here."""
    assert region(address) == wide


def _own_address() -> str:
    """This machine's outward address, or loopback where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.8.0.1", "127.0.0.1"),
        ("::/64", "127.0.0.1"),
        (_own_address(), "127.0.0.1"),
        ("local", "127.0.0.1"),
        ("unix", "127.0.0.1"),
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_this_machine_is_one_place(address: str, where: str) -> None:
    """By whichever of its addresses a proxy on it names it."""
    assert network_place(address) == where
