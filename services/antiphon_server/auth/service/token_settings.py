"""Who issues access tokens, and how long they live."""

from dataclasses import dataclass

MOST_USER_SECONDS = 60 * 60
"""A user's token lives no longer, whatever is set."""


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """The issuer and audience of tokens, and their lifetimes in seconds.

    A service token lives much longer than a user token and is renewed half-way. So services can
    call each other, while no tokens are issued, for as long as any user can call them.
    """

    issuer: str = "antiphon"
    audience: str = "antiphon"
    user_seconds: int = 15 * 60
    service_seconds: int = 30 * 60

    @property
    def longest_life(self) -> int:
        """The longest lifetime of any token in seconds, whichever process issued it.

        Processes may be configured with different lifetimes of user tokens.
        """
        return max(MOST_USER_SECONDS, self.service_seconds)
