"""What keeps a server from being safe among strangers: one list, of which all others are made.

``antiphon up``, ``serve`` and ``mesh`` with ``ANTIPHON_ENV=production`` refuse to start while
anything in it is found, and ``antiphon doctor`` shows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from antiphon_server.hardening.checks import CHECKS, Check
from antiphon_server.hardening.facts import Facts, facts_of
from antiphon_server.settings import Settings


@dataclass(frozen=True, slots=True)
class Weakness:
    """Something insecure that was found: the check, and what exactly is wrong."""

    check: Check
    wrong: str

    def __str__(self) -> str:
        return f"{self.wrong}: {self.check.why}. {self.check.remedy}"


class Insecure(Exception):
    """A production server must not start like this; the message lists everything found."""

    def __init__(self, weaknesses: list[Weakness]) -> None:
        lines = "".join(f"\n- {weakness}" for weakness in weaknesses)
        super().__init__(f"not safe for production, so the server does not start:{lines}")
        self.weaknesses = weaknesses


def weaknesses(settings: Settings, facts: Facts) -> Iterator[Weakness]:
    """Everything insecure, in the order of the list."""
    for check in CHECKS:
        wrong = check.found(settings, facts)
        if wrong:
            yield Weakness(check, wrong)


def insist(settings: Settings) -> list[Weakness]:
    """Raise Insecure if strangers are to be expected and not everything is safe.

    Returns what is only advised against. In development nothing is looked at.
    """
    if not settings.in_production:
        return []
    found = list(weaknesses(settings, facts_of(settings)))
    refused = [weakness for weakness in found if weakness.check.refuses]
    if refused:
        raise Insecure(refused)
    return found
