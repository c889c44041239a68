"""Where a server says that others reach it."""

import socket

import pytest

from antiphon_server.app.own_address import advertised_address
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.settings import Settings

NAME = "server-0.antiphon.example"


class Names:
    """A resolver that knows a name from its so manieth look on."""

    def __init__(self, after: int, address: str) -> None:
        self._left = after
        self._address = address

    async def __call__(self, host: str) -> str:
        """See :data:`~antiphon_server.app.own_address.LookUp`."""
        self._left -= 1
        if self._left >= 0:
            raise socket.gaierror(socket.EAI_NONAME, f"{host} is not known")
        return self._address


async def test_a_name_that_is_not_known_yet_is_waited_for() -> None:
    """A cluster's names come some time after its servers."""
    settings = Settings(node_address=f"{NAME}:7450")
    assert await advertised_address(settings, Names(1, "10.0.0.7")) == ("10.0.0.7", 7450)


async def test_a_name_that_nobody_knows_is_said() -> None:
    """Not for ever: it may be misspelt."""
    with pytest.raises(WrongSetting, match=f"nobody knows the address of {NAME}"):
        await advertised_address(Settings(node_address=f"{NAME}:7450"), Names(99, ""), 0.1)


async def test_a_server_on_all_addresses_is_where_its_machines_name_leads() -> None:
    """Which may be nowhere from elsewhere."""
    everywhere = Settings(host="0.0.0.0")
    assert await advertised_address(everywhere, Names(0, "10.0.0.8")) == ("10.0.0.8", 0)
    with pytest.raises(WrongSetting, match="say at which address others reach this server"):
        await advertised_address(everywhere, Names(0, "127.0.1.1"))
    assert await advertised_address(Settings(host="::1"), Names(99, ""), 0.1) == ("::1", 0)
