"""Families of refresh tokens never fork and die when one is stolen; other rules are caught."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from antiphon_server.auth.adapters.sql.sessions import SqlSessions
from antiphon_server.auth.model import Session
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.auth.service import sessions
from antiphon_server.auth.service.refresh_tokens import Meaning, RefreshTokens, present
from antiphon_server.runtime.access.principal import SessionId
from tests.proofs.properties.machine import caught, check
from tests.proofs.properties.refresh_machine import RefreshMachine

T = TypeVar("T")


def test_families_keep_their_promises() -> None:
    """One successor for everybody; reuse ends all; what has ended stays so."""
    check(RefreshMachine, 25)


@pytest.mark.proof
def test_too_long_a_grace_is_caught() -> None:
    """A predecessor that still works 2 s longer than was promised is noticed."""
    caught(type("Hasty", (RefreshMachine,), {"grace_s": 8.0}))


@pytest.mark.proof
def test_a_family_that_forks_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clients that refresh at once must not get different successors."""
    first = RefreshTokens.first
    names = RefreshTokens.session_of

    def fork(self: RefreshTokens, token: str) -> str:
        return first(self, names(self, token) or SessionId(""))

    monkeypatch.setattr(RefreshTokens, "successor", fork)
    caught(RefreshMachine)


@pytest.mark.proof
def test_forgiven_reuse_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stolen token that only fails, and ends nothing, is noticed."""

    def forgive(
        session: Session, presented: bytes, successor: bytes, now: int, idle: int, address: str
    ) -> tuple[Session, Meaning]:
        after, meaning = present(session, presented, successor, now, idle, address)
        if meaning is Meaning.REUSED:
            return replace(after, end_time=None), Meaning.ENDED
        return after, meaning

    monkeypatch.setattr(sessions, "present", forgive)
    caught(RefreshMachine)


@pytest.mark.proof
def test_an_end_that_is_lost_with_the_process_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family that lives again after a restart is noticed."""
    change = SqlSessions.change

    async def forgetful(
        self: SqlSessions,
        session_id: SessionId,
        rule: Callable[[Session], tuple[Session, T]],
        records: Records[T],
    ) -> T | None:
        def lost(session: Session) -> tuple[Session, T]:
            after, result = rule(session)
            return replace(after, end_time=None), result

        return await change(self, session_id, lost, records)

    monkeypatch.setattr(SqlSessions, "change", forgetful)
    caught(RefreshMachine)
