"""Who issues access tokens, and how long they live."""

from dataclasses import dataclass

MOST_USER_SECONDS = 60 * 60
"""A user's token lives no longer, whatever is set."""


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Who issues tokens, for whom, and for how many seconds.

    A service's outlives a user's by far when it is renewed half-way: while nobody issues
    tokens, services can call each other for as long as any user can call them.
    """

    issuer: str = "antiphon"
    audience: str = "antiphon"
    user_seconds: int = 15 * 60
    service_seconds: int = 30 * 60

    @property
    def longest_life(self) -> int:
        """The longest life of any token, in seconds, whoever issued it.

        Processes may be told otherwise how long a user's lives.
        """
        return max(MOST_USER_SECONDS, self.service_seconds)
