import asyncio
from pathlib import Path

import pytest

from antiphon_client import ApiKey, FileTokenStore, MemoryTokenStore, Tokens, Unauthenticated
from antiphon_client.credentials import Password
from antiphon_client.tokens import TokenSource
from tests.client.fake_server import fake_server


async def test_many_calls_at_once_sign_in_once() -> None:
    """However many wait for a token, there is one Login; for a refused one, one Refresh."""
    async with fake_server(auth_delay_s=0.05) as server, server.client() as client:
        for refreshes in (0, 1):
            await asyncio.gather(*(client.who_am_i() for _ in range(50)))
            assert (server.logins, server.refreshes) == (1, refreshes)
            server.valid.clear()


async def test_a_wrong_old_password_is_sent_once() -> None:
    """What is refused for another reason than its token is not repeated, and keeps the token."""
    async with fake_server() as server, server.client() as client:
        with pytest.raises(Unauthenticated, match="CREDENTIALS_INVALID"):
            await client.change_password("not the password", "correct horse battery")
        assert (server.password_changes, server.logins, server.refreshes) == (1, 1, 0)


async def test_a_token_is_refreshed_before_it_expires() -> None:
    """Near its end a token is replaced without any call having failed."""
    async with fake_server(token_life_s=0.5) as server, server.client() as client:
        await client.who_am_i()
        await asyncio.sleep(0.45)
        await client.who_am_i()
        assert (server.logins, server.refreshes) == (1, 1)


async def test_a_cancelled_caller_does_not_lose_the_refresh() -> None:
    """The answer to a refresh is kept though the call that asked for it is gone."""
    async with fake_server(auth_delay_s=0.1) as server, server.client() as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.who_am_i()
        await client.who_am_i()
        assert server.logins == 1


async def test_a_refused_refresh_logs_in_again() -> None:
    """A session that was ended is replaced where the credentials allow it."""
    store = MemoryTokenStore(Tokens("old", 0.0, "stolen"))
    async with fake_server() as server, server.client(store=store) as client:
        await client.who_am_i()
        assert (server.logins, server.refreshes) == (1, 1)


@pytest.mark.parametrize(
    ("credentials", "why"),
    [
        (ApiKey("wrong"), "CREDENTIALS_INVALID"),
        (Tokens("bad"), "TOKEN_EXPIRED"),
        (None, "not logged in"),
    ],
)
async def test_who_can_not_sign_in_is_told_why(
    credentials: ApiKey | Tokens | None, why: str
) -> None:
    """A wrong key, a ready token that can't be renewed, and nothing at all, which is not sent."""
    async with fake_server() as server, server.client(credentials) as client:
        with pytest.raises(Unauthenticated, match=why):
            await client.who_am_i()


async def test_closing_ends_the_session_if_asked() -> None:
    """A key that is to leave no session behind logs out."""
    async with fake_server() as server:
        async with server.client(ApiKey("key", end_session=True)) as client:
            await client.who_am_i()
        assert server.logouts == 1


async def test_idempotent_calls_are_repeated_when_unavailable() -> None:
    """UNAVAILABLE is retried by the service config."""
    async with fake_server(unavailable=2) as server, server.client() as client:
        assert (await client.who_am_i()).user.name == "anna"


async def test_the_file_store_keeps_tokens_for_their_owner_only(tmp_path: Path) -> None:
    """Tokens survive in a file of mode 0600."""
    store = FileTokenStore(tmp_path / "sub" / "tokens.json")
    assert store.load() is None
    store.save(Tokens("a", 1.0, "r", 2.0, "s"))
    assert FileTokenStore(tmp_path / "sub" / "tokens.json").load() == Tokens("a", 1, "r", 2, "s")
    assert (tmp_path / "sub" / "tokens.json").stat().st_mode & 0o777 == 0o600
    store.save(None)
    assert store.load() is None


async def test_a_damaged_token_file_counts_as_none(tmp_path: Path) -> None:
    """What can't be understood is no reason to fail."""
    (tmp_path / "tokens.json").write_text('{"wrong": 1}')
    assert FileTokenStore(tmp_path / "tokens.json").load() is None


class CountingExchange:
    """An exchange whose refresh tokens work once."""

    def __init__(self) -> None:
        self.used: list[str] = []

    async def login(self, credentials: ApiKey | Password) -> Tokens:
        raise AssertionError("never")

    async def refresh(self, refresh_token: str) -> Tokens:
        assert refresh_token not in self.used, "a refresh token was used twice"
        self.used.append(refresh_token)
        await asyncio.sleep(0.02)
        return Tokens(f"access{len(self.used)}", 1e12, f"refresh{len(self.used)}", 1e12)

    async def logout(self, access_token: str) -> None:
        raise AssertionError("never")


async def test_programs_that_share_a_file_use_each_refresh_token_once(tmp_path: Path) -> None:
    """Ten programs with one file exchange its refresh token once between them."""
    path = tmp_path / "tokens.json"
    FileTokenStore(path).save(Tokens("expired", 1.0, "refresh0", 1e12))
    exchange = CountingExchange()
    sources = [TokenSource(exchange, None, FileTokenStore(path)) for _ in range(10)]
    assert set(await asyncio.gather(*(source.get() for source in sources))) == {"access1"}
    assert exchange.used == ["refresh0"]
