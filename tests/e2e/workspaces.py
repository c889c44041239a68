"""Workspaces of a client's user, which people make by the API alone."""

import uuid

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.conversation_pb2 import Workspace
from antiphon_client import Client


async def workspace(client: Client, name: str) -> str:
    """Made under a request's id, whose answer is kept."""
    request = pb.CreateWorkspaceRequest(display_name=name, request_id=str(uuid.uuid4()))
    stub = ContextServiceStub(client.channel)
    answer = await stub.CreateWorkspace(request, metadata=await _said_by(client))
    return answer.workspace.workspace_id


async def renamed(client: Client, workspace_id: str, name: str) -> None:
    """Its members' logs tell of it."""
    request = pb.UpdateWorkspaceRequest(
        workspace=Workspace(workspace_id=workspace_id, display_name=name),
        update_mask=FieldMask(paths=["display_name"]),
    )
    stub = ContextServiceStub(client.channel)
    await stub.UpdateWorkspace(request, metadata=await _said_by(client))


async def _said_by(client: Client) -> tuple[tuple[str, str]]:
    """The metadata of a call of theirs."""
    return (("authorization", f"Bearer {await client.tokens.get()}"),)
