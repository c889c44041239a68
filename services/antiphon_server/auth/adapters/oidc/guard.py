"""What stands between this server and a provider that fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from antiphon_server.auth.model.identities import ProviderName
from antiphon_server.auth.ports.identity_providers import LeftAlone, Unanswered
from antiphon_server.runtime.concurrency.breaker import Breaker, BreakerOpen, Limits, State
from antiphon_server.runtime.telemetry.structured import structlog

logger = structlog.get_logger(__name__)


class Guard:
    """Has one provider's calls made within its breaker, and tells of each turn of that."""

    def __init__(self, provider: ProviderName, limits: Limits) -> None:
        self._provider = provider
        self._told: list[Callable[[], None]] = []
        self.breaker = Breaker(limits, self._turned)

    def on_turn(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever it was opened or closed."""
        self._told.append(listener)

    def check(self) -> None:
        """Raise LeftAlone if nothing is asked now."""
        try:
            self.breaker.check()
        except BreakerOpen as error:
            raise self._left_alone(error) from error

    @contextmanager
    def call(self, *, is_proof: bool = True) -> Iterator[None]:
        """Make a call within, which raises Unanswered if it fails. Raises LeftAlone.

        That it succeeds says so of others, too, if it ``is_proof``. Whatever else is raised says
        nothing of them: a code that is none, a client that is not known, that nobody waits.
        """
        try:
            with self.breaker.passing() as passage:
                try:
                    yield
                except Unanswered as error:
                    passage.failed = True if error.is_failure else None
                    raise
                passage.failed = False if is_proof else None
        except BreakerOpen as error:
            raise self._left_alone(error) from error

    def _left_alone(self, error: BreakerOpen) -> LeftAlone:
        sentence = f"{self._provider} has failed too often, and is not asked now"
        return LeftAlone(sentence, is_failure=False, retry_after_s=error.retry_after_s)

    def _turned(self, state: State) -> None:
        logger.warning("identity provider's breaker", provider=self._provider, state=state.name)
        for tell in self._told:
            tell()
