"""What other services keep of a conversation, a workspace or a person, erased through them."""

from typing import TYPE_CHECKING

from antiphon.auth.v1.profile_service_pb2 import (
    DeleteProfileRequest,
    DeleteWorkspaceProfilesRequest,
)
from antiphon.events.v1.event_service_pb2 import RedactSettingsRequest
from antiphon.memory.v1.forgetting_service_pb2 import ForgetScopeRequest
from antiphon_server.context.model.erasure_tasks import PERSON
from antiphon_server.context.model.resources import ConversationId, WorkspaceId
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # they exist for the type checker alone
    from antiphon.auth.v1.profile_service_pb2_grpc import ProfileServiceAsyncStub
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub
    from antiphon.memory.v1.forgetting_service_pb2_grpc import ForgettingServiceAsyncStub

TIMEOUT_S = 120.0
"""A person may be remembered by ten thousand memories."""
ACTOR = "services/context"


class ScopesElsewhere:
    """An :class:`~antiphon_server.context.ports.erasures.ErasesScopes` through the services."""

    def __init__(
        self,
        events: "EventServiceAsyncStub",
        memory: "ForgettingServiceAsyncStub",
        profiles: "ProfileServiceAsyncStub",
    ) -> None:
        self._events, self._memory, self._profiles = events, memory, profiles

    async def conversation(self, conversation_id: ConversationId) -> None:
        await self._forget(f"conversations/{conversation_id}")
        request = RedactSettingsRequest(conversation_id=conversation_id, actor=ACTOR)
        with remote_errors("events"):
            await self._events.RedactSettings(request, timeout=TIMEOUT_S)

    async def workspace(self, workspace_id: WorkspaceId) -> None:
        await self._forget(f"workspaces/{workspace_id}")
        with remote_errors("auth"):
            deletion = DeleteWorkspaceProfilesRequest(workspace_id=workspace_id)
            await self._profiles.DeleteWorkspaceProfiles(deletion, timeout=TIMEOUT_S)
        request = RedactSettingsRequest(workspace_id=workspace_id, actor=ACTOR)
        with remote_errors("events"):
            await self._events.RedactSettings(request, timeout=TIMEOUT_S)

    async def person(self, resource: str) -> None:
        await self._forget(resource)
        request = DeleteProfileRequest(user_id=resource.removeprefix(PERSON), all=True)
        with remote_errors("auth"):
            await self._profiles.DeleteProfile(request, timeout=TIMEOUT_S)

    async def _forget(self, scope: str) -> None:
        with remote_errors("memory"):
            request = ForgetScopeRequest(scope=scope, actor=ACTOR)
            await self._memory.ForgetScope(request, timeout=TIMEOUT_S)
