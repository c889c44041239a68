"""``antiphon whiteboard``: what is said of sections that there aren't."""

import asyncio
from subprocess import CompletedProcess

from tests.cli.conftest import Home


async def test_a_section_that_is_not_there_is_not_said_to_be_gone(
    shared_home: Home, address: str
) -> None:
    """One is found whatever its case; deleted once more, there is none."""
    async with shared_home.client(address) as client:
        here = (await client.create_conversation()).conversation_id
        await client.write_section(here, "Plan", "1. Ask Anna")

    def delete(section: str) -> "CompletedProcess[str]":
        return shared_home.run("whiteboard", "delete", here, section)

    told = await asyncio.to_thread(delete, "nope")
    assert told.returncode == 1
    assert told.stderr.startswith("antiphon: there is no section nope: ")
    assert (await asyncio.to_thread(delete, "PLAN")).stdout.startswith("PLAN is gone")
    assert (await asyncio.to_thread(delete, "Plan")).returncode == 1
