"""Workspaces by the client's methods, against a whole server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon_client import AntiphonError, ApiKey, Client, Password
from antiphon_server.app import running
from antiphon_server.settings import Settings
from tests.fakes.proxy import Proxy

PASSWORD = "correct horse battery"


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """A server's, whose operator's key is in the folder of the test."""
    settings = Settings(port=0, admin_port=None, data_dir=tmp_path, model="scripted/echo")
    async with running(settings) as app:
        yield f"127.0.0.1:{app.port}"


@pytest.fixture
async def client(address: str, tmp_path: Path) -> AsyncIterator[Client]:
    """The operator's."""
    key = ApiKey((tmp_path / "operator.key").read_text().strip())
    async with Client.connect(address, key) as client:
        yield client


async def ids(client: Client, *, show_archived: bool = False) -> list[str]:
    return [it.workspace_id async for it in client.list_workspaces(show_archived=show_archived)]


async def refused(call: object) -> AntiphonError:
    with pytest.raises(AntiphonError) as error:
        await call  # type: ignore[misc]
    return error.value


async def test_one_is_made_read_renamed_and_archived(client: Client) -> None:
    """Each answer is the workspace as it is then; lists leave out what is archived."""
    lab = await client.create_workspace("Lab")
    shop = await client.create_workspace("Shop")
    assert await client.get_workspace(lab.workspace_id) == lab
    assert await ids(client) == [shop.workspace_id, lab.workspace_id]
    renamed = await client.rename_workspace(lab.workspace_id, "Old lab", etag=lab.etag)
    assert (renamed.display_name, renamed.etag == lab.etag) == ("Old lab", False)
    archived = await client.archive_workspace(lab.workspace_id)
    assert archived.HasField("archive_time")
    assert await client.archive_workspace(lab.workspace_id) == archived
    assert await client.get_workspace(lab.workspace_id) == archived
    assert await ids(client) == [shop.workspace_id]
    assert await ids(client, show_archived=True) == [shop.workspace_id, lab.workspace_id]


async def test_one_is_made_once_over_a_line_that_breaks(
    client: Client, address: str, tmp_path: Path
) -> None:
    """What was answered to nobody is asked for again under the same request_id."""
    key = ApiKey((tmp_path / "operator.key").read_text().strip())
    async with Proxy(int(address.rpartition(":")[2])) as proxy:
        async with Client.connect(proxy.address, key) as near:
            await near.who_am_i()
            proxy.cut_after(1)
            made = await near.create_workspace("Lab")
            again = await near.rename_workspace(made.workspace_id, "Shop")
        assert proxy.connections > 1
    assert await ids(client) == [made.workspace_id]
    assert await client.get_workspace(made.workspace_id) == again


async def test_who_has_no_role_finds_nothing_and_who_reads_changes_nothing(
    client: Client, address: str
) -> None:
    """A stranger is told that there is none; members may look, admins change it."""
    lab = (await client.create_workspace("Lab")).workspace_id
    anna = (await client.create_user("anna", PASSWORD)).user_id
    async with Client.connect(address, Password("anna", PASSWORD)) as other:
        assert (await refused(other.get_workspace(lab))).reason == "NOT_FOUND"
        assert (await refused(other.rename_workspace(lab, "Mine"))).reason == "NOT_FOUND"
        assert (await refused(other.archive_workspace(lab))).reason == "NOT_FOUND"
        await client.add_member(lab, anna, "member")
        assert (await other.get_workspace(lab)).display_name == "Lab"
        assert await ids(other) == [lab]
        assert (await refused(other.rename_workspace(lab, "Mine"))).reason == "PERMISSION_DENIED"
        assert (await refused(other.archive_workspace(lab))).reason == "PERMISSION_DENIED"
        await client.update_member(lab, anna, "admin")
        assert (await other.rename_workspace(lab, "Ours")).display_name == "Ours"


async def test_what_can_not_be_is_refused(client: Client) -> None:
    """A name that is none, a change of what was changed meanwhile, and one that was erased."""
    lab = await client.create_workspace("Lab")
    which = lab.workspace_id
    for name in ("", "x" * 129):
        assert "display_name" in (await refused(client.create_workspace(name))).violations
        error = await refused(client.rename_workspace(which, name))
        assert "workspace.display_name" in error.violations
    assert "workspace_id" in (await refused(client.get_workspace("lab"))).violations
    await client.rename_workspace(which, "Shop")
    stale = await refused(client.rename_workspace(which, "Lab", etag=lab.etag))
    assert stale.reason == "ETAG_MISMATCH"
    await client.erasure_done(client.erase_workspace, which)
    assert (await client.get_workspace(which)).display_name == ""
    assert (await refused(client.rename_workspace(which, "Lab"))).reason == "WORKSPACE_ERASED"
    assert (await client.archive_workspace(which)).HasField("archive_time")


async def test_ones_own_stays_in_use(client: Client) -> None:
    """Else its owner could begin no conversation any more."""
    own = (await client.create_conversation()).workspace_id
    assert (await refused(client.archive_workspace(own))).reason == "WORKSPACE_PERSONAL"
    assert (await client.create_conversation()).workspace_id == own


async def test_a_copy_has_what_was_set_in_archived_ones(client: Client) -> None:
    """Somebody's profile there is theirs as any other."""
    lab = (await client.create_workspace("Lab")).workspace_id
    await client.update_profile(lab, call_name="Marta")
    await client.archive_workspace(lab)
    user_id = (await client.who_am_i()).user.user_id
    exported = [str(it) async for it in client.export_person(user_id)]
    assert any("Marta" in it for it in exported)
