"""The operator who needs no set-up: whoever can read the data directory."""

from collections.abc import Awaitable, Callable

from antiphon_server.auth.model import KeyId, User
from antiphon_server.auth.ports import SecretFile, UserStore
from antiphon_server.auth.service.api_keys import MOST_PER_USER, ApiKeys
from antiphon_server.auth.service.users import NewUser, Users
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason

NAME = "local"
LABEL = "operator.key"
MOST_NODES = 32
MOST_KEYS = 2 * MOST_PER_USER + 1  # room for this one, whatever people and servers have
_SELF = Principal("service", UserId("auth"), SessionId(""))


Living = Callable[[], Awaitable[frozenset[str]]]
"""The names of the servers that run."""


async def nobody() -> frozenset[str]:
    """Where there is one server, nobody shares its store."""
    return frozenset()


class LocalOperator:
    """Keeps the user ``local`` and a file with a working API key for it.

    ``node`` names this server among those that share the store: each has its own key. Of more
    than ``MOST_NODES`` keys the oldest go of those whose servers are not among the ``living``:
    they came back as new ones.
    """

    def __init__(
        self,
        store: UserStore,
        users: Users,
        api_keys: ApiKeys,
        file: SecretFile,
        node: str = "",
        living: Living = nobody,
    ) -> None:
        self._store = store
        self._users = users
        self._api_keys = api_keys
        self._file = file
        self._label = f"{LABEL} of {node}" if node else LABEL
        self._living = living

    async def ensure(self) -> None:
        """Make what is missing. A key whose file is lost or was exposed is revoked, and
        what was made with it.

        Where an operator has disabled the user, or taken its rights, that stays so.
        """
        user = await self._store.find(NAME) or await self._create()
        if not user.governs:
            return
        secret = self._file.read()
        key = await self._api_keys.find(secret) if secret else None
        if key is None or key.user_id != user.user_id:
            await self._replace_key(user.user_id)

    async def _create(self) -> User:
        new = NewUser(NAME, display_name="Local operator", operator=True)
        try:
            return await self._users.create(_SELF, new)
        except DomainError as error:
            made = await self._store.find(NAME)
            if error.reason is not Reason.ALREADY_EXISTS or made is None:
                raise
            return made  # by another server, which starts at the same time

    async def _replace_key(self, owner: UserId) -> None:
        while lost := await self._lost_keys(owner):  # of which one may end others
            await self._api_keys.revoke(lost[0])
        _, secret = await self._api_keys.create(owner, self._label, None, MOST_KEYS)
        self._file.write(secret)

    async def _lost_keys(self, owner: UserId) -> list[KeyId]:
        keys = await self._api_keys.list_keys(owner, None, MOST_KEYS)
        own = [key.key_id for key in keys if key.label == self._label]
        if own:
            return own
        others = [key for key in keys if key.label.startswith(f"{LABEL} of ")]
        in_use = {f"{LABEL} of {node}" for node in await self._living()}
        left = [key.key_id for key in others if key.label not in in_use]
        kept = max(0, MOST_NODES - 1 - (len(others) - len(left)))
        return left[kept:]  # the newest come first
