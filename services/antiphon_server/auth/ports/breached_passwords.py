"""Passwords that attackers try first."""

from typing import Protocol


class BreachedPasswords(Protocol):
    """A list of passwords that are known from breaches."""

    async def contains(self, password: str) -> bool:
        """Whether the password is in the list.

        It reads files off the event loop. Raises DomainError STORE_UNAVAILABLE if the list
        can't be read: a password that can't be looked up is not accepted.
        """
        ...
