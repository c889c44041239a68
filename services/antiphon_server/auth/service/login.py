"""Login: a credential in, a session out."""

from antiphon_server.auth.model import ApiKey, LoginMethod, Origin, SignedIn, User, UserKind
from antiphon_server.auth.model.security_events import SignInFailure
from antiphon_server.auth.ports import UserStore
from antiphon_server.auth.service.api_keys import ApiKeys
from antiphon_server.auth.service.attempts import Attempts
from antiphon_server.auth.service.passwords import Passwords
from antiphon_server.auth.service.sessions import Sessions
from antiphon_server.auth.service.sign_ins import SignIns
from antiphon_server.auth.service.users import fold_name, possible_name
from antiphon_server.runtime.errors import DomainError, Reason


class Login:
    """Signs people in by password and programs by API key."""

    def __init__(
        self,
        users: UserStore,
        passwords: Passwords,
        attempts: Attempts,
        api_keys: ApiKeys,
        sessions: Sessions,
        sign_ins: SignIns,
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._attempts = attempts
        self._api_keys = api_keys
        self._sessions = sessions
        self._sign_ins = sign_ins

    async def by_password(self, name: str, password: str, device: str, address: str) -> SignedIn:
        """A session for the right password; ``address`` is where the caller is.

        An unknown name takes the same way as a wrong password. Raises DomainError
        CREDENTIALS_INVALID, TOO_MANY_ATTEMPTS, OVERLOADED; USER_DISABLED to who knows the
        password of a disabled account.
        """
        name = fold_name(name)
        known = await self._attempts.knows(name, address)
        with self._passwords.slot(reserved=known):  # next, so that a flood costs nothing more
            user = await self._check(name, password, address)
        origin = Origin(LoginMethod.PASSWORD, device, address)
        return await self._sessions.open(user, origin)

    async def by_api_key(self, secret: str, device: str, address: str = "") -> SignedIn:
        """A session for an API key. Raises DomainError CREDENTIALS_INVALID, USER_DISABLED."""
        user, key = await self._owner(secret, LoginMethod.API_KEY)
        await self._admit(user, LoginMethod.API_KEY)
        origin = Origin(LoginMethod.API_KEY, device, address)
        return await self._sessions.open(user, origin, key)

    async def by_client(self, client: str, secret: str, device: str, address: str) -> SignedIn:
        """A session for a program's name or id and its secret (RFC 6749, 4.4).

        It ends with its access token. Raises DomainError CREDENTIALS_INVALID, USER_DISABLED.
        """
        method = LoginMethod.CLIENT_CREDENTIALS
        user, key = await self._owner(secret, method)
        meant = client == user.user_id or fold_name(client) == user.name
        if not meant or user.kind is not UserKind.PROGRAM:
            failure = SignInFailure.NOT_ALLOWED
            await self._sign_ins.failed(method, failure, name=client, user_id=user.user_id)
            raise DomainError(Reason.CREDENTIALS_INVALID)
        await self._admit(user, method)
        origin = Origin(LoginMethod.CLIENT_CREDENTIALS, device, address)
        return await self._sessions.open(user, origin, key, refreshable=False)

    async def _owner(self, secret: str, method: LoginMethod) -> tuple[User, ApiKey]:
        key = await self._api_keys.find(secret)
        user = key and await self._users.get(key.user_id)
        if not key or not user:
            await self._sign_ins.failed(method, SignInFailure.UNKNOWN)
            raise DomainError(Reason.CREDENTIALS_INVALID)
        return user, key

    async def _check(self, name: str, password: str, address: str) -> User:
        await self._spend(name, address)
        user = await self._users.find(name) if possible_name(name) else None
        stored = user.password_hash if user else None
        if not await self._passwords.check(password, stored) or user is None:
            await self._wrong(name, user)
            raise DomainError(Reason.CREDENTIALS_INVALID)
        await self._attempts.succeed(name, address)
        await self._admit(user, LoginMethod.PASSWORD)
        await self._strengthen(user, password)
        return user

    async def _spend(self, name: str, address: str) -> None:
        try:
            await self._attempts.spend(name, address)
        except DomainError as error:
            if error.reason is Reason.TOO_MANY_ATTEMPTS:
                await self._sign_ins.refused(LoginMethod.PASSWORD, name=name)
            raise

    async def _wrong(self, name: str, user: User | None) -> None:
        """Record a failure: the same work whether the name is known or not."""
        failure = SignInFailure.WRONG_SECRET if user else SignInFailure.UNKNOWN
        user_id = user.user_id if user else ""
        await self._sign_ins.failed(LoginMethod.PASSWORD, failure, name=name, user_id=user_id)

    async def _admit(self, user: User, method: LoginMethod) -> None:
        try:
            admit(user)
        except DomainError:
            failure = SignInFailure.DISABLED
            await self._sign_ins.failed(method, failure, name=user.name, user_id=user.user_id)
            raise

    async def _strengthen(self, user: User, password: str) -> None:
        old = user.password_hash
        new = await self._passwords.renew(password, old) if old else None
        if old and new:
            await self._users.replace_password_hash(user.user_id, old, new)


def admit(user: User) -> None:
    """Let in whoever has proved to be the user. Raises DomainError USER_DISABLED.

    An account of a kind that only newer servers know may do nothing here.
    """
    if user.disabled or not user.kind.known:
        raise DomainError(Reason.USER_DISABLED)
