"""Sentences about errors, for people."""

import sys

import grpc
import pytest

from antiphon.events.v1.event_pb2 import TURN_STATE_SUCCEEDED
from antiphon.integration.v1.model_pb2 import (
    FINISH_REASON_LENGTH,
    FinishReason,
    SkippedModel,
    Usage,
)
from antiphon_client import AntiphonError, TurnResult, Unavailable, Untrusted
from antiphon_client.tls import MEANINGS
from antiphon_server.cli.chat.summary import summary
from antiphon_server.cli.console import folded, say
from antiphon_server.cli.explain import explain

INVALID = grpc.StatusCode.INVALID_ARGUMENT
PATTERN = "does not match regex pattern `^[0-9]$`"


def id_pattern(prefix: str) -> str:
    """What the contract's rule for ids says."""
    return f"does not match regex pattern `^{prefix}_[0-9A-Za-z_-]{{8,64}}$`"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            AntiphonError(INVALID, "", violations={"a.conversation_id": id_pattern("conv")}),
            "that is no conversation's ID (conv_…); `antiphon conversations` lists yours",
        ),
        (
            AntiphonError(INVALID, "", violations={"workspace_id": id_pattern("ws")}),
            "that is no workspace's ID (ws_…); `antiphon workspaces` lists yours",
        ),
        (
            AntiphonError(INVALID, "", reason="NOT_FOUND", metadata={"resource": "ws_00000001"}),
            "there is no ws_00000001, or you have no access to it; `antiphon workspaces` lists",
        ),
        (
            AntiphonError(INVALID, "", violations={"message_id": id_pattern("msg")}),
            "that is no message's ID (msg_…)",
        ),
        (
            AntiphonError(INVALID, "", violations={"create.scope": PATTERN}),
            "that is no scope: write",
        ),
        (AntiphonError(INVALID, "", violations={"a.b": PATTERN}), "a.b: that is not how"),
        (AntiphonError(INVALID, "", violations={"user_code": "at least 8"}), "as BCDF-GHJK"),
        (AntiphonError(INVALID, "", violations={"new_password": "must"}), "the password must"),
        (AntiphonError(INVALID, "", violations={"password": "programs have none"}), "password: pr"),
        (AntiphonError(INVALID, "", reason="LAST_OWNER"), "make somebody else one first"),
        (AntiphonError(INVALID, "", violations={"title": "at most 9"}), "title: at most 9"),
        (
            AntiphonError(INVALID, "", reason="MODEL_PROMPT_TOO_LONG", metadata={"model": "a/b"}),
            "too long for the model a/b",
        ),
        (
            AntiphonError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "",
                reason="BUDGET_EXCEEDED",
                metadata={"budget": "all", "parent": "global"},
                retry_after=5.0,
            ),
            "the installation's budget all has too little left. Ask again in 5 s, ask for less, or "
            "have an operator raise it",
        ),
        (
            AntiphonError(
                INVALID,
                "",
                reason="PRICE_UNKNOWN",
                metadata={"target": "a.b", "kind": "tool", "budget": "x", "currency": "EUR"},
            ),
            "what a.b costs is not known: have an admin say its price in EUR, `antiphon tools "
            'price a.b "0.01 EUR"`',
        ),
        (Unavailable(grpc.StatusCode.UNAVAILABLE, "failed: OK"), "TLS (https://)"),
        (Unavailable(grpc.StatusCode.UNAVAILABLE, "a: Socket closed"), "(Socket closed)"),
        (Unavailable(grpc.StatusCode.UNAVAILABLE, "[a: Not found]"), "(Not found): is the address"),
        (AntiphonError(INVALID, "", violations={"name": PATTERN}), "letters, digits and . _ @ -"),
        (
            AntiphonError(
                INVALID, "", reason="LIMIT_EXCEEDED", metadata={"limit": "800 turns a user"}
            ),
            "you wait for 800 answers already; wait until",
        ),
        (
            AntiphonError(INVALID, "", reason="LIMIT_EXCEEDED", metadata={"limit": "9 odd things"}),
            "the limit is reached: 9 odd things at most",
        ),
        (AntiphonError(INVALID, "", reason="RATE_LIMITED", retry_after=3.0), "try again in 3 s"),
        (AntiphonError(INVALID, "", reason="OVERLOADED"), "the server has too much to do"),
        (
            AntiphonError(
                INVALID, "", reason="OVERLOADED", metadata={"model": "a/b", "calls": "4"}
            ),
            "the model a/b writes as many answers as it may at once (4)",
        ),
        (
            AntiphonError(INVALID, "", violations={"post.parts": "a message has at most 1 MiB; l"}),
            "send it in pieces",
        ),
        (
            AntiphonError(INVALID, "", reason="ALREADY_EXISTS", metadata={"resource": "users/a"}),
            "there is a user a already",
        ),
    ],
)
def test_errors_are_told_to_people(error: AntiphonError, says: str) -> None:
    """Without patterns, without the names of codes."""
    sentence = explain(error)
    assert says in sentence
    assert "regex" not in sentence


def refused(retry_after: float | None = None, **told: str) -> str:
    """What is said of a call that does not fit into a budget."""
    budget = {"budget": "team", "parent": "ws_00000001", "unit": "USD", "limit": "5"}
    amounts = {"spent": "4.9", "reserved": "0", "needed": "6"}
    return explain(
        AntiphonError(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "",
            reason="BUDGET_EXCEEDED",
            metadata={**budget, **amounts, **told},
            retry_after=retry_after,
        )
    )


def test_what_helps_against_a_budget_is_said() -> None:
    """Waiting as far as it does, and less only where there may be less."""
    for_ever = "this may take 6. Waiting does not help. Ask for less, or have an admin raise it: "
    assert for_ever in refused()
    assert "help. Have an admin raise it" in refused(unit="calls", limit="1", spent="0")
    assert "of 1 call, 0 are spent" in refused(unit="calls", limit="1", spent="0")
    assert "help. Have an admin raise it" in refused(limit="0", spent="0")
    assert "Ask again in 5 s, ask for less, or have an admin" in refused(5.0)
    later = refused(441_817.0, resets_at="2026-12-01T00:00:00Z")
    assert "It begins anew in 5 days (2026-1" in later
    assert "). Wait until then, ask for less, or have an admin raise it" in later
    assert "in 2 hours. Wait until then, or have" in refused(7200.0, unit="calls", resets_at="?")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("model", "give its prices in EUR in the server's settings"),
        ("model", "have the budget count USD"),
        ("tool", '`antiphon tools price a/b "0.01 EUR"`'),
    ],
)
def test_a_price_in_another_currency_is_no_unknown_one(kind: str, says: str) -> None:
    """Both are said."""
    told = {"target": "a/b", "kind": kind, "budget": "team", "currency": "EUR"}
    metadata = {**told, "price_currency": "USD"}
    said = explain(AntiphonError(INVALID, "", reason="PRICE_UNKNOWN", metadata=metadata))
    assert said.startswith("a/b costs USD, and the budget team counts EUR: ")
    assert says in said


def test_a_paused_connection_is_resumed_by_its_name() -> None:
    """The command can be copied."""
    told = {"connection": "till", "breaker": "BY_HAND"}
    error = AntiphonError(INVALID, "", reason="CONNECTION_UNAVAILABLE", metadata=told)
    assert explain(error).endswith("by `antiphon connections resume till`")


def test_lines_end_between_words_and_outside_of_commands() -> None:
    """What is copied is whole, an address of a page too."""
    text = "say `antiphon login -a x` or not"
    assert folded(text, 24) == "say\n`antiphon login -a x` or\nnot"
    assert folded("a bc de", 5, "  ") == "a bc\n  de"
    assert folded("a bcd efgh", 5, "  ") == "a bcd\n efgh"
    assert folded("    http://x/" + "y" * 90, 80) == "    http://x/" + "y" * 90


def test_a_mark_is_a_part_of_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With it the line fits into the terminal, too; further lines are behind it."""
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    say("12345 789", mark="· ", indent="  ")
    assert capsys.readouterr().out == "· 12345\n  789\n"


@pytest.mark.parametrize("meaning", MEANINGS.values())
def test_distrust_is_said_with_what_to_do(meaning: str) -> None:
    """Whatever the client says of a certificate, people are told more."""
    sentence = explain(Untrusted(grpc.StatusCode.UNAVAILABLE, meaning))
    assert sentence.startswith(meaning)
    assert len(sentence) > len(meaning) + 10


@pytest.mark.parametrize(("reason", "cut"), [(FINISH_REASON_LENGTH, True), (0, False)])
def test_an_answer_that_was_cut_is_said_to_be(reason: FinishReason.ValueType, cut: bool) -> None:
    """A model that reached its limit looks like lost text otherwise."""
    usage = Usage(output_tokens=1024)
    result = TurnResult("turn_1", TURN_STATE_SUCCEEDED, "x", usage=usage, finish_reason=reason)
    assert ("cut off at the model's limit (1,024 tokens)" in summary(result, 1.0)) is cut


def test_an_answer_that_was_cut_at_a_limit_of_ours_is_not_said_to_be_at_the_models() -> None:
    """Whoever set the limit can raise it."""
    result = TurnResult(
        "turn_1", TURN_STATE_SUCCEEDED, "x", finish_reason=FINISH_REASON_LENGTH, output_limit=1024
    )
    assert summary(result, 1.0).startswith(
        "cut off at 1,024 tokens, the most asked for: /continue goes on · "
    )


def test_what_has_a_price_of_its_own_is_said() -> None:
    """Whoever wonders about a cost sees what was cached, or thought and not said."""
    usage = Usage(input_tokens=1200, output_tokens=300, cached_tokens=1000, reasoning_tokens=250)
    result = TurnResult("turn_1", TURN_STATE_SUCCEEDED, "x", usage=usage)
    assert summary(result, 1.0) == "1200 (1000 cached) + 300 (250 reasoning) tokens · 1.0 s"


@pytest.mark.parametrize(
    ("omitted", "says"),
    [
        (0, "2.0 s"),
        (1, "1 older message left out · 2.0 s"),
        (1200, "1,200 older messages left out · 2.0 s"),
    ],
)
def test_what_was_left_out_is_said(omitted: int, says: str) -> None:
    """Who reads an answer knows what it was given without."""
    result = TurnResult("turn_1", TURN_STATE_SUCCEEDED, "x", omitted_messages=omitted)
    assert summary(result, 2.0) == says


@pytest.mark.parametrize(("parts", "says"), [(1, "1 attachment"), (2, "2 attachments")])
def test_what_a_model_was_told_in_words_is_said(parts: int, says: str) -> None:
    """Nobody takes what it says of a picture for what it saw."""
    result = TurnResult("turn_1", TURN_STATE_SUCCEEDED, "x", described_parts=parts)
    assert summary(result, 2.0) == f"{says} described to the model in words · 2.0 s"


def test_what_an_answer_is_given_without_is_said() -> None:
    """Why it is not of the first model, too; a reason of a newer server as it is."""
    skipped = [
        SkippedModel(model="a/b", error_reason="PART_NOT_ACCEPTED", lacks="image"),
        SkippedModel(model="c/d", error_reason="MODEL_TIMEOUT"),
        SkippedModel(model="e/f", error_reason="SOMETHING_NEW"),
    ]
    result = TurnResult(
        "turn_1", TURN_STATE_SUCCEEDED, "x", withheld_tools=1, skipped_models=tuple(skipped)
    )
    assert summary(result, 1.0) == (
        "without 1 tool, which the model does not take · a/b takes no image · c/d took too long · "
        "e/f SOMETHING_NEW · 1.0 s"
    )
