"""What a language's rules are made of."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from antiphon_server.memory.extracting.dates import Calendar, DateWords
from antiphon_server.memory.extracting.model import Hold, Kind

_LINKS = "de|la|del|den|der|von|van|am|an|sur|el|los|las|of|the|le|les|du|des|lès"
_COMMON = {
    # A name: up to four words with capitals, and what links them.
    "NAME": rf"(?-i:[A-ZÀ-ÖØ-Þ][\w'\-]+"
    rf"(?:(?: (?:{_LINKS}))* [A-ZÀ-ÖØ-Þ][\w'\-]*|-(?:{_LINKS})-[A-Z][\w\-]*){{0,3}})",
    # Some words in a row, as few as there have to be.
    "SOME": r"\w[\w'\-]*(?: [\w'\-]+){0,4}?",
    # The rest of a clause.
    "REST": r"\w[^,;:()–—!…]{1,140}?",
}


_PRONOUN = re.compile(r"^(?:je |j'|on )", re.IGNORECASE)  # French verbs of both persons are alike


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for, and what is said of who said it.

    ``pattern`` has the groups `v` (the value), and perhaps `verb`, `p` (a word that belongs before
    the value) and `we`; `<NAME>` and the like stand for parts of patterns. In ``form`` stand
    `{who}`, `{whose}` (German), `{v}`, `{p}`, `{verb}` (as of a third person), and `[lives|live]`
    (one, several). ``single``: one value at a time. ``ahead``: its date is yet to come;
    ``dated``: it counts only with a date.
    """

    slot: str
    pattern: str
    form: str
    kind: Kind = Kind.FACT
    hold: Hold = Hold.HOLDS
    single: bool = False
    ahead: bool = False
    dated: bool = False
    confidence: float = 0.9


@dataclass(frozen=True, slots=True)
class Language:
    """A language's tables.

    ``telling`` are words that it alone has; ``guard`` matches what is no plain statement;
    ``others`` says that somebody is not alone; ``verbs`` have the third person of first ones;
    ``turned`` are words of the first person in the third one (`my`: `their`), and ``personal``
    those that can't be turned; ``denial`` matches what denies an event, ``denied`` what denies a
    clause from behind. ``idle`` are values that say nothing, ``articles`` what a value may
    begin with in another restatement.
    """

    telling: frozenset[str]
    guard: str
    others: str
    macros: Mapping[str, str]
    rules: Sequence[Rule]
    dates: DateWords
    turned: Mapping[str, str]
    personal: str
    denial: str
    denied: str
    idle: str
    articles: str
    verbs: Mapping[str, str] = field(default_factory=dict)


class Grammar:
    """A language, compiled."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.calendar = Calendar(language.dates)
        self.guard = re.compile(language.guard, re.IGNORECASE)
        self.idle = re.compile(rf"(?:{language.idle})", re.IGNORECASE)
        self.personal = re.compile(rf"\b(?:{language.personal})\b", re.IGNORECASE)
        self.denial = re.compile(rf"\b(?:{language.denial})\b", re.IGNORECASE)
        self.denied = re.compile(rf" (?:{language.denied})\b", re.IGNORECASE)
        self.articles = re.compile(rf"(?:{language.articles})", re.IGNORECASE)
        turned = "|".join(sorted(language.turned, key=len, reverse=True))
        self._turned = re.compile(rf"\b(?:{turned})\b", re.IGNORECASE)
        macros = _COMMON | dict(language.macros)
        self.rules = [
            (it, re.compile(_filled(it.pattern, macros), re.IGNORECASE)) for it in language.rules
        ]

    def turn(self, words: str, name: str) -> str:
        """Words of the first person as those of a third one."""
        turned = self.language.turned
        return self._turned.sub(
            lambda it: turned[it[0].lower()].format(whose=genitive(name)), words
        )

    def verb(self, word: str, several: bool) -> str:
        """The third person of a first one's verb."""
        verbs = self.language.verbs
        plural = verbs.get("+" + word.lower()) if several else None
        return plural or verbs.get(word.lower(), _PRONOUN.sub("", word))


def genitive(name: str) -> str:
    """Of a name, as in German: `Annas`, `Jonas'`."""
    return f"{name}'" if name.endswith(("s", "ß", "x", "z")) else f"{name}s"


def _filled(pattern: str, macros: Mapping[str, str]) -> str:
    while True:
        filled = re.sub(r"<([A-Z]+)>", lambda it: macros[it[1]], pattern)
        if filled == pattern:
            return _numbered(filled)
        pattern = filled


def _numbered(pattern: str) -> str:
    """The pattern with each group's name once: `we`, `we_1`, `we_2`."""
    counts: Counter[str] = Counter()

    def renamed(name: re.Match[str]) -> str:
        counts[name[1]] += 1
        count = counts[name[1]]
        return f"(?P<{name[1]}>" if count == 1 else f"(?P<{name[1]}_{count}>"

    return re.sub(r"\(\?P<([a-z]+)>", renamed, pattern)


def groups_of(match: re.Match[str]) -> Mapping[str, str]:
    """What the groups of a rule's pattern have found, by their names."""
    return {name.partition("_")[0]: it for name, it in match.groupdict().items() if it is not None}
