"""Leave to set a password once, without knowing the old one."""

from dataclasses import dataclass, field

from antiphon_server.auth.model import SECOND
from antiphon_server.runtime.access.principal import UserId

LIFE = 3600 * SECOND


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """A person's newest reset, without its token.

    It works for the user's ``password_version`` of the time it was made: so it ends with
    its use, with any other change of the password, and when the user is disabled. With
    ``api_keys`` its use revokes the user's.
    """

    user_id: UserId
    token_hash: bytes = field(repr=False)
    password_version: int
    expire_time: int
    api_keys: bool = False
