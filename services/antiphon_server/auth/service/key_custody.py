"""Who may make, list and revoke which API keys."""

from antiphon_server.auth.model import ApiKey, KeyId, Position, Request, UserKind
from antiphon_server.auth.service.api_keys import ApiKeys
from antiphon_server.auth.service.ownership import administers, owns, whose
from antiphon_server.auth.service.sessions import Sessions
from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.access.permissions import Scope
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found


class KeyCustody:
    """API keys as callers may have them: one's own, and for operators those of programs."""

    def __init__(self, api_keys: ApiKeys, users: Users, sessions: Sessions) -> None:
        self._api_keys = api_keys
        self._users = users
        self._sessions = sessions

    async def create(
        self,
        caller: Principal,
        named: str,
        label: str,
        ttl: int | None,
        scopes: frozenset[Scope] | None,
        request: Request | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its secret: for the caller, or for the program that is ``named``.

        What a session of a key makes for its owner ends with that key, and a session that has
        ended makes none, however early its call came in. Raises DomainError
        NOT_FOUND, LIMIT_EXCEEDED, INVALID_ARGUMENT for another person, SESSION_REVOKED,
        REQUEST_ID_REUSED, and PERMISSION_DENIED if the caller's credential has limits that the
        key would not have.
        """
        _check_width(caller, scopes)
        owner = await self._users.get(await whose(caller, named, self._users))
        if owner.user_id != caller.user_id and owner.kind is not UserKind.PROGRAM:
            raise invalid("user_id", "must be a program: people make their own keys")
        # Only people and programs have sessions; without one there is nothing to be ended.
        sponsor = await self._sessions.get(caller.session_id) if caller.kind == "user" else None
        return await self._api_keys.create(
            owner.user_id, label, ttl, scopes=scopes, sponsor=sponsor, request=request
        )

    async def list_keys(
        self, caller: Principal, named: str, after: Position | None, limit: int
    ) -> list[ApiKey]:
        """A page of keys, the newest first: the caller's, or of who is ``named``.

        Raises DomainError NOT_FOUND.
        """
        owner = await whose(caller, named, self._users)
        return await self._api_keys.list_keys(owner, after, limit)

    async def revoke(
        self, caller: Principal, key_id: KeyId, request: Request | None = None
    ) -> None:
        """Revoke the caller's key, or for an operator anyone's.

        Raises DomainError NOT_FOUND, REQUEST_ID_REUSED, and Repeated.
        """
        key = await self._api_keys.get(key_id)
        if not owns(caller, key.user_id) and not administers(caller):
            raise not_found(f"api_keys/{key_id}")
        await self._api_keys.revoke(key_id, request)


def _check_width(caller: Principal, wanted: frozenset[Scope] | None) -> None:
    """What a credential makes is never wider than itself."""
    if caller.scopes is None:
        return
    if wanted is None:
        raise DomainError(Reason.PERMISSION_DENIED, permission="every scope")
    for lacking in wanted - caller.scopes:
        raise DomainError(Reason.PERMISSION_DENIED, permission=lacking.name)
