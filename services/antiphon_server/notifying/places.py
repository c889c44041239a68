"""How many are posted at once: in all, to a webhook, to a host, and of whoever made webhooks."""

from collections import Counter

from antiphon_server.notifying.model import Due

AT_ONCE = 200
OF_HOST = 32
OF_CREATOR = 64
"""A host may be many webhooks', and a user may have many webhooks at many hosts."""
OF_WEBHOOK = 4
OF_FAILING_WEBHOOK = 1
"""So those that time out take up few of all places, however much there is for them."""


class Places:
    """Counts those that are taken."""

    def __init__(self) -> None:
        self._of_webhook: Counter[str] = Counter()
        self._of_host: Counter[str] = Counter()
        self._of_creator: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many are taken."""
        return self._of_host.total()

    @property
    def full_webhooks(self) -> set[str]:
        """Those that have no place, even if they don't fail."""
        return {it for it, taken in self._of_webhook.items() if taken >= OF_WEBHOOK}

    @property
    def full_hosts(self) -> set[str]:
        """Those that have no place."""
        return {it for it, taken in self._of_host.items() if taken >= OF_HOST}

    @property
    def full_creators(self) -> set[str]:
        """Those that have no place."""
        return {it for it, taken in self._of_creator.items() if taken >= OF_CREATOR}

    def has(self, due: Due) -> bool:
        """Whether there is one for it."""
        most = OF_FAILING_WEBHOOK if due.failing else OF_WEBHOOK
        return (
            len(self) < AT_ONCE
            and self._of_webhook[due.webhook_id] < most
            and self._of_host[due.host] < OF_HOST
            and self._of_creator[due.creator] < OF_CREATOR
        )

    def take(self, due: Due) -> bool:
        """Take one for it; False if there is none."""
        if not self.has(due):
            return False
        self._of_webhook[due.webhook_id] += 1
        self._of_host[due.host] += 1
        self._of_creator[due.creator] += 1
        return True

    def leave(self, due: Due) -> None:
        """Give its place back."""
        for taken, name in (
            (self._of_webhook, due.webhook_id),
            (self._of_host, due.host),
            (self._of_creator, due.creator),
        ):
            taken[name] -= 1
            if not taken[name]:
                del taken[name]
