"""Workspaces: made, found, changed, put away."""

import uuid

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import conversation_pb2
from antiphon_server.runtime.errors import Reason
from tests.context.stand_ins import ANN, BOB, SERVICE
from tests.context.world import World, pages
from tests.e2e.refusals import Refused


def update(workspace: conversation_pb2.Workspace, *paths: str) -> pb.UpdateWorkspaceRequest:
    return pb.UpdateWorkspaceRequest(workspace=workspace, update_mask=FieldMask(paths=paths))


async def test_a_workspace_is_the_makers(world: World) -> None:
    """Its maker is its owner, and nobody else knows of it."""
    made = await world.workspace()
    assert made.workspace_id.startswith("ws_")
    assert made.etag
    request = pb.GetWorkspaceRequest(workspace_id=made.workspace_id)
    assert (await world.client(ANN).GetWorkspace(request)).workspace == made
    with Refused(Reason.NOT_FOUND):
        await world.client(BOB).GetWorkspace(request)
    with Refused(Reason.NOT_FOUND):
        await world.client(SERVICE).GetWorkspace(
            pb.GetWorkspaceRequest(workspace_id="ws_unknown00")
        )


async def test_a_repeated_request_makes_nothing_new(world: World) -> None:
    """The same request id gets the first answer; with another body it is refused."""
    request = pb.CreateWorkspaceRequest(display_name="Lab", request_id=str(uuid.uuid4()))
    first = await world.client(ANN).CreateWorkspace(request)
    wish = update(first.workspace, "display_name")
    wish.workspace.display_name = "B"
    await world.client(ANN).UpdateWorkspace(wish)
    assert await world.client(ANN).CreateWorkspace(request) == first
    of_bob = await world.client(BOB).CreateWorkspace(request)
    assert of_bob.workspace.workspace_id != first.workspace.workspace_id
    request.display_name = "other"
    with Refused(Reason.REQUEST_ID_REUSED) as refused:
        await world.client(ANN).CreateWorkspace(request)
    assert refused.error.metadata == {"request_id": request.request_id}


async def test_the_list_is_mine_and_newest_first(world: World) -> None:
    """Pages follow one another without a gap, and archived ones come only when asked for."""
    names = [str(number) for number in range(5)]
    made = [await world.workspace(name=name) for name in names]
    await world.workspace(BOB)
    found = await pages(world.client(ANN).ListWorkspaces, pb.ListWorkspacesRequest(page_size=2))
    assert [one.display_name for page in found for one in page.workspaces] == names[::-1]
    archive = pb.ArchiveWorkspaceRequest(workspace_id=made[2].workspace_id)
    await world.client(ANN).ArchiveWorkspace(archive)
    for archived, expected in ((False, ["4", "3", "1", "0"]), (True, names[::-1])):
        request = pb.ListWorkspacesRequest(show_archived=archived)
        listed = await world.client(ANN).ListWorkspaces(request)
        assert [one.display_name for one in listed.workspaces] == expected


async def test_an_update_changes_what_the_mask_names(world: World) -> None:
    """With the etag that was read it is made, and the etag changes; with an old one it is not."""
    made = await world.workspace()
    wish = conversation_pb2.Workspace(
        workspace_id=made.workspace_id, display_name="Other", etag=made.etag
    )
    changed = (await world.client(ANN).UpdateWorkspace(update(wish, "display_name"))).workspace
    assert changed.display_name == "Other"
    assert changed.etag != made.etag
    with Refused(Reason.ETAG_MISMATCH):
        await world.client(ANN).UpdateWorkspace(update(wish, "display_name"))


async def test_a_repeated_update_is_made_once(world: World) -> None:
    """Whatever became of the workspace since, the first answer is given, and nothing undone."""
    made = await world.workspace()
    wish = conversation_pb2.Workspace(
        workspace_id=made.workspace_id, display_name="Other", etag=made.etag
    )
    request = update(wish, "display_name")
    request.request_id = str(uuid.uuid4())
    first = await world.client(ANN).UpdateWorkspace(request)
    assert await world.client(ANN).UpdateWorkspace(request) == first
    later = conversation_pb2.Workspace(workspace_id=made.workspace_id, display_name="Later")
    changed = await world.client(ANN).UpdateWorkspace(update(later, "display_name"))
    assert await world.client(ANN).UpdateWorkspace(request) == first
    get = pb.GetWorkspaceRequest(workspace_id=made.workspace_id)
    assert (await world.client(ANN).GetWorkspace(get)).workspace == changed.workspace
    request.workspace.display_name = "Third"
    with Refused(Reason.REQUEST_ID_REUSED):
        await world.client(ANN).UpdateWorkspace(request)


@pytest.mark.parametrize("paths", [(), ("etag",), ("display_name", "nonsense"), ("*",)])
async def test_a_mask_names_known_fields(world: World, paths: tuple[str, ...]) -> None:
    """An empty mask, and one with an unknown path, changes nothing."""
    made = await world.workspace()
    with Refused(Reason.INVALID_ARGUMENT):
        await world.client(ANN).UpdateWorkspace(update(made, *paths))


@pytest.mark.parametrize("name", ["", "x" * 129])
async def test_a_new_name_has_the_same_limits(world: World, name: str) -> None:
    """A name that could not be given at first can't be given later."""
    made = await world.workspace()
    made.display_name = name
    with Refused(Reason.INVALID_ARGUMENT):
        await world.client(ANN).UpdateWorkspace(update(made, "display_name"))


async def test_archiving_twice_is_no_error(world: World) -> None:
    """The second time changes nothing, and no conversation can be made any more."""
    made = await world.workspace()
    request = pb.ArchiveWorkspaceRequest(workspace_id=made.workspace_id)
    first = await world.client(ANN).ArchiveWorkspace(request)
    assert first.workspace.HasField("archive_time")
    assert await world.client(ANN).ArchiveWorkspace(request) == pb.ArchiveWorkspaceResponse(
        workspace=first.workspace
    )
    with Refused(Reason.INVALID_ARGUMENT):
        await world.conversation(workspace_id=made.workspace_id)
