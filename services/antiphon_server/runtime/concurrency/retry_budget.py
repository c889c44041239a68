"""A budget of retries: what is repeated is a share of what succeeds, so outages hardly grow.

As gRFC A6 has it ("Client Retries", throttling of retry attempts):
https://github.com/grpc/proposal/blob/master/A6-client-retries.md
"""

from typing import Final

MOST_TOKENS: Final = 10.0
TOKENS_A_SUCCESS: Final = 0.1
"""Both as the proposal's example has them: in the long run one retry for ten successes."""


class RetryBudget:
    """Tokens for what is called at one place, shared by all who call there.

    A failure that could be tried again takes one, whether it is or not; a success gives back
    ``ratio``. Nothing is tried again while no more than half of ``most`` are there.
    """

    def __init__(self, most: float = MOST_TOKENS, ratio: float = TOKENS_A_SUCCESS) -> None:
        self._most, self._ratio = most, ratio
        self._tokens = most

    @property
    def allows(self) -> bool:
        """Whether something may be tried again now."""
        return self._tokens > self._most / 2

    def failed(self) -> None:
        """Note a failure that could be tried again."""
        self._tokens = max(0.0, self._tokens - 1)

    def succeeded(self) -> None:
        """Note a success."""
        self._tokens = min(self._most, self._tokens + self._ratio)
