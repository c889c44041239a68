"""What the examples do about a server that misbehaves, or says that it stops."""

from tests.client.fake_log import FakeLog
from tests.client.fake_server import FakeServer, fake_server
from tests.clients.conftest import BUILDING, Start
from tests.e2e.until import until

pytestmark = BUILDING
PIECES = ["Grüße", " an", " alle", ",", " die", " da", " sind", "!"]


class Repeating(FakeLog):
    """Resumes some events before the cursor, as after a network that doubled them."""

    def position(self, cursor: str) -> int | None:
        found = super().position(cursor)
        return found and max(found - 4, 0)


def at(server: FakeServer) -> dict[str, str]:
    return {"ANTIPHON_ADDRESS": server.address, "ANTIPHON_API_KEY": "key"}


async def test_a_gap_is_found(start: Start) -> None:
    """An event that is missing ends the program: nobody is shown a text with a hole."""
    async with fake_server(answer=PIECES, skip=4) as server:
        ended = await (await start(at(server), "Hi")).ended()
    assert ended.code == 1
    assert "GAP: expected the event at offset 4" in ended.errors


async def test_draining_an_ended_session_and_doubled_events(start: Start) -> None:
    """Told that the server stops it comes back, signs in again, and drops what it has had."""
    async with fake_server(answer=PIECES, gap_s=0.1, log=Repeating()) as server:
        run = await start(at(server), "Hi")
        await until(lambda: server.log.head >= 6)
        server.valid.clear()
        async with server.log.news:
            server.drain.set()
            server.log.news.notify_all()
        ended = await run.ended()
    assert (ended.text, ended.code) == ("".join(PIECES) + "\n", 0), ended
    assert (ended.told.first, ended.told.last) == (1, server.log.head)
    assert (ended.told.connections, server.streams, server.logins) == (2, 2, 2)


async def test_the_token_is_renewed_on_the_stream(start: Start) -> None:
    """Before the token expires the stream is given the next one, and goes on."""
    async with fake_server(answer=PIECES, gap_s=0.18, token_life_s=2.0) as server:
        ended = await (await start(at(server), "Hi")).ended()
    assert (ended.text, ended.code) == ("".join(PIECES) + "\n", 0), ended
    assert (server.streams, server.logins) == (1, 1)
    assert len(server.renewals) >= 1


async def test_wrong_credentials_are_final(start: Start) -> None:
    """They are not tried again."""
    async with fake_server() as server:
        variables = {"ANTIPHON_ADDRESS": server.address, "ANTIPHON_API_KEY": "wrong"}
        ended = await (await start(variables, "Hi")).ended()
    assert ended.code == 1
    assert "CREDENTIALS_INVALID" in ended.errors
    assert server.logins == 1
