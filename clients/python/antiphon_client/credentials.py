"""What proves who is calling."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A program's long-lived key, exchanged for tokens.

    ``end_session`` logs out when the client closes, so that a program that runs often
    leaves no trail of sessions.
    """

    secret: str = field(repr=False)
    end_session: bool = False


@dataclass(frozen=True, slots=True)
class Password:
    """A person's name and password."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A session's tokens. Times are Unix seconds; without a refresh token they just end."""

    access_token: str = field(repr=False)
    access_expires_at: float = float("inf")
    refresh_token: str = field(default="", repr=False)
    refresh_expires_at: float = float("inf")
    session_id: str = ""


Credentials = ApiKey | Password | Tokens
