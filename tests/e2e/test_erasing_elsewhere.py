"""What one server erases the other one has no more, in no ring, index or tail of its own."""

import asyncio
import base64
import os
import uuid
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path

from antiphon_client import Client
from tests.e2e.canaries import answers_with, files_with, rows_with
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.fakes.postgres import Postgres
from tests.fakes.valkey import Valkey


async def _told(client: Client, conversation_id: str, message_id: str) -> None:
    """Return when a stream is told that it was erased."""
    follow = client.follow(f"conversations/{conversation_id}", earliest=True)
    async with asyncio.timeout(PATIENCE_S), aclosing(aiter(follow)) as events:
        async for event in events:
            if message_id in event.messages_erased.message_ids:
                return


async def _erased(variables: Mapping[str, str], url: str, home: Path) -> None:
    """Erase on one server what the other one has read."""
    word = f"canary{uuid.uuid4().hex}"
    async with (
        ServerProcess(home / "one", variables=variables) as one,
        ServerProcess(home / "two", variables=variables) as two,
        one.client() as here,
        two.client() as there,
    ):
        conversation = (await here.create_conversation(f"so {word}")).conversation_id
        posted = await here.post_message(conversation, f"so {word} it is", in_context=True)
        told = asyncio.create_task(_told(there, conversation, posted.message_id))
        known = await answers_with(there, conversation, word)
        assert {"ReadEvents", "ListMessages", "GetContext", "Subscribe"} <= set(known)
        await here.erase_messages(conversation, [posted.message_id])
        assert await answers_with(there, conversation, word) == []
        assert await answers_with(here, conversation, word) == []
        assert await rows_with(one.data_dir, word, url) == []
        assert files_with(one.data_dir, word) + files_with(two.data_dir, word) == []
        await told
        assert one.defects == two.defects == []


def _variables(url: str) -> dict[str, str]:
    key = base64.b64encode(os.urandom(32)).decode()
    return {"ANTIPHON_DATABASE_URL": url, "ANTIPHON_SECRET_KEY": key}


async def test_the_other_server_has_nothing_of_it(postgres: Postgres, tmp_path: Path) -> None:
    """A stream of it is told, and whatever it is asked, it has the message no more."""
    url = await postgres.database()
    await _erased(_variables(url), url, tmp_path)


async def test_nor_has_redis(postgres: Postgres, valkey: Valkey, tmp_path: Path) -> None:
    """The same, where servers tell each other by Redis."""
    url = await postgres.database()
    await _erased({**_variables(url), "ANTIPHON_REDIS_URL": valkey.url}, url, tmp_path)
