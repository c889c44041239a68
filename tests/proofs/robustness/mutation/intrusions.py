"""Defects that let somebody in where they don't belong, or that let it go unseen."""

from typing import Any

import jwt

from tests.proofs.robustness.mutation.defect import Defect
from tests.proofs.robustness.mutation.replacing import Wrapper
from tests.proofs.robustness.mutation.wrongs import answering, nothing

SERVICE = "antiphon_server.auth.service."


def intrusion(name: str, mechanism: str, where: str, wrapper: Wrapper, test: str) -> Defect:
    """A defect that one test of the suite must catch, ``file::test``."""
    rule = test.rpartition("::")[2]
    return Defect(name, mechanism, where, wrapper, tests=(test,), rules=(rule,))


def unsigned(_original: Any) -> Any:
    """Believe what a token says, whoever signed it."""

    def verified(_tokens: Any, token: str) -> Any:
        return jwt.decode(token, options={"verify_signature": False})

    return verified


def rotated(original: Any) -> Any:
    """Take every refresh token that a session ever had for its newest."""

    def present(session: Any, _presented: bytes, *rest: Any) -> Any:
        return original(session, session.refresh_hash, *rest)

    return present


def unrecorded(_original: Any) -> Any:
    """Do what is to be done, and add nothing to the trail."""
    return lambda _connection, _records, outcome: outcome


def everybody(_original: Any) -> Any:
    """Anybody has the role that it takes."""
    from antiphon_server.runtime.access.policy import Step, Verdict

    return lambda _question: (Verdict.ALLOWED, Step.ROLE)


def unlimited(_original: Any) -> Any:
    """No credential has limits."""
    from antiphon_server.runtime.access.policy import Step

    return lambda _question: Step.UNLIMITED


INTRUSIONS = (
    intrusion(
        "signature not checked",
        "tokens",
        SERVICE + "token_reader:TokenReader._verified",
        unsigned,
        "tests/auth/test_tokens.py::test_no_mutation_is_accepted",
    ),
    intrusion(
        "reuse not seen",
        "sessions",
        SERVICE + "refresh_tokens:present",
        rotated,
        "tests/auth/test_refresh.py::test_an_older_ancestor_is_reuse_at_once",
    ),
    intrusion(
        "revocation not told",
        "sessions",
        SERVICE + "liveness:Liveness.ended",
        answering(None),
        "tests/auth/test_sessions.py::test_a_revoked_session_is_refused_at_the_next_call",
    ),
    intrusion(
        "guess not counted",
        "passwords",
        SERVICE + "attempts:Attempts._spend",
        nothing(0),
        "tests/auth/test_guessing.py::test_the_owner_signing_in_gives_strangers_no_more_guesses",
    ),
    intrusion(
        "guess of a device not counted",
        "devices",
        SERVICE + "device_guesses:DeviceGuesses.spend",
        nothing(False),
        "tests/auth/test_device_guesses.py::test_one_user_guesses_ten_times",
    ),
    intrusion(
        "claims not checked",
        "identity providers",
        SERVICE + "id_tokens:check_claims",
        answering(None),
        "tests/auth/oidc/test_attacks.py::test_an_id_token_for_somebody_else_is_refused",
    ),
    intrusion(
        "role not asked for",
        "access",
        "antiphon_server.runtime.access.policy:_by_role",
        everybody,
        "tests/runtime/test_policy.py::test_every_combination",
    ),
    intrusion(
        "scope not asked for",
        "access",
        "antiphon_server.runtime.access.policy:_limits",
        unlimited,
        "tests/runtime/test_policy.py::"
        "test_a_limited_credential_needs_the_scope_and_its_owners_right",
    ),
    intrusion(
        "act not recorded",
        "audit",
        "antiphon_server.auth.adapters.sql.security_events:record",
        unrecorded,
        "tests/auth/test_recorded.py::test_a_day_is_recorded_in_order",
    ),
    intrusion(
        "chain not checked",
        "audit",
        SERVICE + "hash_chain:ChainCheck._fault",
        answering(None),
        "tests/auth/test_tampering.py::test_of_1000_random_tamperings_none_is_missed",
    ),
    intrusion(
        "limit not kept",
        "rate limits",
        "antiphon_server.runtime.limits.rate_limits:RateLimits.of",
        answering([]),
        "tests/runtime/test_rate_limits.py::test_sign_ins_of_one_address_are_strict",
    ),
    intrusion(
        "weakness not seen",
        "production",
        "antiphon_server.hardening:weaknesses",
        answering([]),
        "tests/hardening/test_checks.py::test_all_refusals_come_at_once",
    ),
)
"""Each is caught by a test that needs no process of its own."""
