"""``antiphon search``: what was said, in lines that command no terminal."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from antiphon_client import Client
from tests.cli.conftest import Home, Run

pytestmark = pytest.mark.asyncio(loop_scope="module")
Found = Callable[..., list[str]]
EVIL = "evil \x1b[31m heron \x1b]0;title\x07 \u202e reversed"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def places(shared_home: Home, address: str) -> AsyncIterator[tuple[str, str]]:
    """A conversation of two in which things were said, and the workspace of both."""
    async with shared_home.client(address) as client:
        first = (await client.create_conversation(title="Birds")).conversation_id
        made = await client.create_conversation()
        await _say(client, first, "the grey heron stands in the reeds", EVIL)
        await _say(client, made.conversation_id, "an otter, no heron")
        yield first, made.workspace_id


async def _say(client: Client, conversation_id: str, *texts: str) -> None:
    for text in texts:
        await client.post_message(conversation_id, text)


@pytest.fixture
def found(antiphon: Run) -> Found:
    """Searches, and gives the excerpts."""

    def found(*arguments: str) -> list[str]:
        ran = antiphon("search", *arguments, "--json")
        assert ran.returncode == 0, ran.stderr
        return [json.loads(line)["excerpt"] for line in ran.stdout.splitlines()]

    return found


async def test_hits_say_who_when_and_where(antiphon: Run, places: tuple[str, str]) -> None:
    """A line of that, and one of what was said; --why says what the score is made of."""
    ran = antiphon("search", "grey", "reeds", "--why")
    (hit,) = (it for it in ran.stdout.split("\n\n") if "grey" in it)
    head, excerpt, why = hit.splitlines()
    assert head.split("  ")[0] == "Local operator"
    assert head.endswith(f"Birds  {places[0]}")
    assert excerpt == "    the grey heron stands in the reeds"
    assert "words" in why


async def test_nothing_that_was_said_commands_the_terminal(
    antiphon: Run, places: tuple[str, str]
) -> None:
    """Control characters and marks of direction are shown as what they are."""
    ran = antiphon("search", "evil")
    assert "reversed" in ran.stdout
    assert not {"\x1b", "\x07", "\u202e"}.intersection(ran.stdout)


async def test_limits_limit(found: Found, places: tuple[str, str]) -> None:
    """By conversation, workspace, author, day and number."""
    first, workspace = places
    assert len(found("heron")) == 3
    assert len(found("heron", "-w", workspace)) == 3
    assert found("heron", "-w", "ws_otherworkspace") == []
    assert len(found("heron", "-c", first)) == 2
    assert len(found("heron", "-n", "1")) == 1
    assert found("heron", "--by", "handlers/assistant") == []
    today = datetime.now(UTC).date()
    long_ago, later = today - timedelta(days=9), today + timedelta(days=9)
    assert len(found("heron", "--since", str(long_ago), "--until", str(later))) == 3
    assert found("heron", "--since", str(later)) == found("heron", "--until", str(long_ago)) == []


async def test_who_finds_nothing_is_told_so(antiphon: Run, places: tuple[str, str]) -> None:
    """It is no failure; a day that is none is."""
    ran = antiphon("search", "giraffe")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "Nothing was found.\n")
    ran = antiphon("search", "heron", "--since", "yesterday")
    assert ran.returncode == 2
    assert "write one like" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["boats", "--by", "nobody"], "--by: nobody is nobody's ID; write me, user_…"),
        (
            ["boats", "-c", "conv_nope"],
            "--conversation: conv_nope is no conversation's ID (conv_…)",
        ),
        (["boats", "-w", "home"], "--workspace: home is no workspace's ID (ws_…)"),
        (["   "], "WORDS: nothing is written there; write something like"),
        (
            ["x", "--since", "2026-12-01", "--until", "2026-11-01"],
            "--until: 2026-11-01 is not after --since 2026-12-01",
        ),
    ],
)
async def test_what_can_not_be_meant_is_told_by_the_name_of_its_option(
    antiphon: Run, arguments: list[str], says: str
) -> None:
    """As it was typed, not as the contract calls it."""
    ran = antiphon("search", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr


async def test_a_day_is_looked_through_by_itself(found: Found, places: tuple[str, str]) -> None:
    """The last day that is named is part of it; so is what oneself has said, by `me`."""
    today = str(datetime.now(UTC).astimezone().date())
    assert len(found("heron", "--by", "me", "--since", today, "--until", today)) == 3
