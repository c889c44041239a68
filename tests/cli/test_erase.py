"""`antiphon erase`: what its guide doesn't show."""

from tests.cli.conftest import Home, Run


async def test_a_workspace_is_erased(shared_home: Home, address: str, antiphon: Run) -> None:
    """It says how far it is and what was erased; somebody's own is refused, with what to do."""
    async with shared_home.client(address) as client:
        lab = (await client.create_workspace("the lab")).workspace_id
        here = (await client.create_conversation("ours", workspace_id=lab)).conversation_id
        await client.post_message(here, "a word", in_context=True)
        own = (await client.create_conversation()).workspace_id
    erased = antiphon("erase", "workspace", lab, "--yes")
    assert erased.returncode == 0
    assert "conversations left: 1" in erased.stderr
    assert erased.stderr.endswith("1 erased.\n")
    again = antiphon("erase", "workspace", lab, "--yes", "--json")
    assert f'"workspaces/{lab}"' in again.stdout
    refused = antiphon("erase", "workspace", own, "--yes")
    assert refused.returncode
    assert "erase its conversations" in refused.stderr
    asked = antiphon("erase", "workspace", own, stdin="n\n")
    assert asked.returncode
