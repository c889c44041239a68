"""What a provider publishes is as fresh as is said, whatever the clock does."""

import pytest

from antiphon_server.auth.ports.identity_providers import Unanswered
from antiphon_server.auth.service.published import KEPT_S, RENEWED_AFTER_S, Published
from antiphon_server.runtime.concurrency.completion import Completion
from tests.auth.world import FakeClock


class Provider:
    """Publishes the number of the answer, unless it is away."""

    def __init__(self) -> None:
        self.answers = 0
        self.away = False

    async def fetch(self) -> int:
        """The next document."""
        if self.away:
            raise Unanswered("away")
        self.answers += 1
        return self.answers


async def test_a_clock_that_is_put_right_keeps_no_document() -> None:
    """Fetched by a clock that ran a year ahead: it is fetched anew at once, and each hour."""
    provider, clock = Provider(), FakeClock()
    published = Published(provider.fetch, Completion(), clock)
    assert await published.get() == 1
    clock.time -= 365 * 86_400
    assert await published.get() == 2
    clock.time += RENEWED_AFTER_S + 1
    assert await published.get() == 3


async def test_a_document_of_an_unknown_age_does_not_serve() -> None:
    """Nor does it while the provider is away: its keys may have been withdrawn long ago."""
    provider, clock = Provider(), FakeClock()
    published = Published(provider.fetch, Completion(), clock)
    await published.get()
    provider.away = True
    clock.time += KEPT_S
    assert await published.get() == 1
    clock.time -= 2 * KEPT_S
    with pytest.raises(Unanswered):
        await published.get()
