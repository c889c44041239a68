"""Which rules match a message."""

from dataclasses import replace

import pytest

from antiphon_server.routing.matching import Table
from antiphon_server.routing.model import Classifier, Match, Rule, Said
from antiphon_server.runtime.errors import Reason

SAID = Said(
    "Where is my invoice?",
    type="form.submitted",
    media_types=["text/plain", "image/png"],
    metadata={"source": "shop", "empty": ""},
    labels={"team": "north"},
    language="pt-BR",
    sender="users/user_00000001",
    workspace_id="ws_00000001",
    sender_locale="de-AT",
    sender_fields={"team": "blue"},
)


def matches(match: Match, said: Said = SAID) -> bool:
    """Whether a rule of that matches."""
    return bool(list(Table("global", 1, [Rule("one", match=match, handler="a")]).matching(said)))


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(), True),
        (Match(types=["command", "form.submitted"]), True),
        (Match(types=[""]), False),
        (Match(media_types=["image/*"]), True),
        (Match(media_types=["image/png"]), True),
        (Match(media_types=["image/jpeg", "audio/*"]), False),
        (Match(media_types=["text/*", "audio/*"]), True),
        (Match(metadata={"source": "shop"}), True),
        (Match(metadata={"source": "*"}), True),
        (Match(metadata={"empty": "*"}), True),
        (Match(metadata={"source": "shop", "other": "*"}), False),
        (Match(metadata={"source": "shops"}), False),
        (Match(labels={"team": "north"}), True),
        (Match(labels={"team": "south"}), False),
        (Match(languages=["pt"]), True),
        (Match(languages=["de", "PT-br"]), True),
        (Match(languages=["pt-BR-x-a"]), False),
        (Match(languages=["p"]), False),
        (Match(senders=["users/user_00000001"]), True),
        (Match(senders=["users/user_00000002"]), False),
        (Match(sender_locales=["DE"]), True),
        (Match(sender_locales=["de-DE", "fr"]), False),
        (Match(sender_fields={"team": "blue"}), True),
        (Match(sender_fields={"team": "*"}), True),
        (Match(sender_fields={"team": "red"}), False),
        (Match(sender_locales=["de"], sender_fields={"site": "*"}), False),
        (Match(workspaces=["ws_00000001"]), True),
        (Match(workspaces=["ws_00000002"]), False),
        (Match(text_patterns=["(?i)INVOICE"]), True),
        (Match(text_patterns=["nothing", "^Where"]), True),
        (Match(text_patterns=["nothing"]), False),
        (Match(types=["form.submitted"], labels={"team": "south"}), False),
        (Match(types=["form.submitted"], text_patterns=["nothing"]), False),
    ],
)
def test_all_that_a_rule_says_must_hold(match: Match, expected: bool) -> None:
    """Of a list, one is enough."""
    assert matches(match) is expected


def test_a_conversation_without_a_language_is_in_none() -> None:
    """Nor is one whose tag only begins with the same letters."""
    assert not matches(Match(languages=["pt"]), replace(SAID, language=""))
    assert not matches(Match(languages=["pt"]), replace(SAID, language="ptx"))


def test_a_media_type_counts_without_its_parameters() -> None:
    """And in whatever case."""
    said = replace(SAID, media_types=["Text/HTML; charset=utf-8"])
    assert matches(Match(media_types=["text/html"]), said)


def test_rules_are_tried_by_priority_and_then_as_they_stand() -> None:
    """The highest first."""
    rules = [Rule(f"r{at}", it, handler="a") for at, it in enumerate((0, 5, -1, 5, 0))]
    names = [it.name for it in Table("global", 1, rules).matching(SAID)]
    assert names == ["r1", "r3", "r0", "r4", "r2"]


def test_each_rule_has_its_own_patterns() -> None:
    """Though all are looked for at once."""
    words = (["invoice", "bill"], ["nothing"], ["Where", "invoice"], ["zzz", "my"])
    rules = [Rule(f"r{at}", 0, Match(text_patterns=it), "a") for at, it in enumerate(words)]
    assert [it.name for it in Table("global", 1, rules).matching(SAID)] == ["r0", "r2", "r3"]


def wrong_in(*rules: Rule) -> tuple[str, str]:
    """The field and the words by which rules are refused."""
    refused = Table("global", 1, rules).broken
    assert refused is not None
    assert refused.reason is Reason.INVALID_ARGUMENT
    (violation,) = refused.violations
    return violation.field, violation.description


def test_a_name_twice_is_refused() -> None:
    """The later one is named."""
    given = [Rule("a", handler="x"), Rule("b", handler="x"), Rule("a", handler="y")]
    assert wrong_in(*given) == ("rules[2].name", "is that of rules[0]")


def test_more_than_a_hundred_are_refused() -> None:
    """A hundred are taken."""
    rules = [Rule(f"r{it}", handler="a") for it in range(101)]
    assert Table("global", 1, rules[:100]).broken is None
    assert wrong_in(*rules)[0] == "rules"


@pytest.mark.parametrize(
    "rule", [Rule("a"), Rule("a", handler="x", classifier=Classifier())], ids=["neither", "both"]
)
def test_a_rule_has_a_handler_or_a_classifier(rule: Rule) -> None:
    """Not both, not neither."""
    assert wrong_in(Rule("first", handler="x"), rule)[0] == "rules[1]"


def test_patterns_that_can_not_be_looked_for_match_nothing() -> None:
    """They stood at another server: the message is for who comes next."""
    table = Table("global", 1, [Rule("a", match=Match(text_patterns=["("]), handler="x")])
    assert table.broken is not None
    assert not list(table.matching(SAID))
