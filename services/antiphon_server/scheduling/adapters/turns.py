"""Schedules' turns, through the dispatcher, in the names of those who made the schedules."""

from typing import TYPE_CHECKING

from antiphon.auth.v1.auth_service_pb2 import GetUserRequest
from antiphon_server.dispatcher.scheduling_room import PostsTurns
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.scheduling.encoding import dispatch_of, place_of
from antiphon_server.scheduling.model import Schedule

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

TIMEOUT_S = 10.0


class DispatchedTurns:
    """A :class:`~antiphon_server.scheduling.ports.Starter` that asks whether they still may."""

    def __init__(self, turns: PostsTurns, auth: "AuthServiceAsyncStub") -> None:
        self._turns, self._auth = turns, auth

    def place(self, schedule: Schedule, turn_id: str) -> str:
        """See :meth:`Starter.place`."""
        return place_of(schedule, turn_id, schedule.creator)

    async def ours(self, schedule: Schedule, turn_id: str) -> bool:
        """See :meth:`Starter.ours`."""
        return await self._turns.ours(self.place(schedule, turn_id))

    async def start(self, schedule: Schedule, turn_id: str, due_us: int) -> bool:
        """See :meth:`Starter.start`. Raises DomainError USER_DISABLED, and as Dispatch does."""
        principal = await self._creator(schedule)
        request = dispatch_of(schedule, turn_id, due_us, principal.actor)
        return await self._turns.post(request, principal)

    async def came(self, schedule: Schedule, turn_id: str) -> bool:
        """See :meth:`Starter.came`."""
        return await self._turns.came(self.place(schedule, turn_id), turn_id)

    async def _creator(self, schedule: Schedule) -> Principal:
        kind, _, user_id = schedule.creator.partition("/")
        if kind != "users":
            return Principal("service", UserId(user_id), SessionId(""))
        with remote_errors("auth"):
            request = GetUserRequest(user_id=user_id)
            found = await self._auth.GetUser(request, timeout=TIMEOUT_S)
        if found.user.disabled:
            raise DomainError(Reason.USER_DISABLED)
        keys = schedule.api_keys
        return Principal("user", UserId(user_id), SessionId(""), api_keys=keys)
