"""Finds the facts in what somebody said."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from antiphon_server.memory.extracting.dates import Dated
from antiphon_server.memory.extracting.grammar import Grammar, Language, Rule, genitive, groups_of
from antiphon_server.memory.extracting.languages import de, en, es, fr
from antiphon_server.memory.extracting.model import Candidate, Hold, Kind, Utterance
from antiphon_server.memory.extracting.requests import request_in
from antiphon_server.memory.extracting.sentences import Sentence, sentences

MOST = 16
"""Facts of one message; what tells more is pasted rather than said."""
_OF_REQUESTS = 0.9
_LANGUAGES = {"en": en.LANGUAGE, "de": de.LANGUAGE, "fr": fr.LANGUAGE, "es": es.LANGUAGE}
_TELLING = {
    name: it.telling.difference(
        *(other.telling for other in _LANGUAGES.values() if other is not it)
    )
    for name, it in _LANGUAGES.items()
}
_NUMBER = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")
_WORD = re.compile(r"[^\W\d_]+")
_ENTITY = re.compile(r"[A-ZÀ-ÖØ-Þ][\w'\-]+(?: [A-ZÀ-ÖØ-Þ][\w'\-]+)*")


def extract(said: Utterance) -> Sequence[Candidate]:
    """What the author said of themselves, each once, in order; nothing of what others wrote.

    Costs about a millisecond a message; of a text the first 20,000 characters are read.
    """
    if not said.subject.startswith("users/"):
        return []  # models' words are no evidence of anything
    usual = _language(said.text[:2000], said.language)
    found: dict[tuple[str, str, str, str], Candidate] = {}
    for sentence in sentences(said.text):
        language = _language(sentence.text, usual)
        facts = list(_in(sentence, said, language)) or list(_noted(sentence, said, language))
        for candidate in facts:
            found.setdefault(candidate.key, candidate)
    return sorted(found.values(), key=lambda it: it.start)[:MOST]


def _in(sentence: Sentence, said: Utterance, language: str) -> Iterator[Candidate]:
    grammar = _grammar(language)
    if grammar.guard.search(sentence.text):
        return
    taken: list[tuple[int, int]] = []
    for rule, pattern in grammar.rules:
        for match in pattern.finditer(sentence.text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue  # a rule before it knows better what was said there
            candidate = _candidate(rule, match, grammar, said)
            if candidate is not None:
                taken.append(match.span())
                start = sentence.start + match.start() + _before_words(match[0])
                end = sentence.start + match.end()
                yield replace(candidate, start=start, end=end)


def _noted(sentence: Sentence, said: Utterance, language: str) -> Iterator[Candidate]:
    """What it asks to have remembered, as it was said, also where it is no plain statement."""
    written = said.text[sentence.start : sentence.start + len(sentence.text)]
    request = request_in(sentence.text, written)
    if request is None:
        return
    start, end = sentence.start + request.start, sentence.start + request.end
    text = " ".join(said.text[start:end].split())
    compared = _compared(text, _grammar(language), most=len(text))
    digest = hashlib.sha256(compared.encode("utf-8", "surrogatepass")).hexdigest()
    entities = _entities(text, said.name)
    if request.is_told and entities and text.startswith(entities[0]):
        entities = entities[1:]  # a sentence begins with a capital
    yield Candidate(
        kind=Kind.NOTE,
        slot="note",
        topic=f"note/{digest[:32]}",
        value=compared,
        hold=Hold.HOLDS,
        text=text,
        subject=said.subject,
        entities=entities,
        valid_from_us=0,
        valid_until_us=0,
        said_us=said.time_us,
        start=start,
        end=end,
        confidence=_OF_REQUESTS,
    )


def _candidate(
    rule: Rule, match: re.Match[str], grammar: Grammar, said: Utterance
) -> Candidate | None:
    groups = groups_of(match)
    raw = groups.get("v", "").strip(" .'-")
    if _says_nothing(rule, raw, match, grammar):
        return None
    around = match.string if rule.kind is not Kind.PREFERENCE else match[0]
    when = grammar.calendar.find(match[0], said.time_us, rule.ahead)
    if when is None and not rule.dated and not _events(rule):
        when = grammar.calendar.find(around, said.time_us, rule.ahead)
    if when is None and rule.dated:
        when = _behind_comma(match, grammar, said)
    if rule.dated and (when is None or (rule.ahead and when.from_us <= said.time_us)):
        return None
    value = grammar.turn(raw, said.name)
    if grammar.personal.search(value):
        return None
    several = "we" in groups
    who = grammar.language.others.format(name=said.name) if several else said.name
    verb = grammar.turn(grammar.verb(groups.get("verb", ""), several), said.name)
    before = grammar.turn(groups.get("p", ""), said.name)
    form = _NUMBER.sub(lambda it: it[2 if several else 1], rule.form)
    text = form.format(who=who, whose=genitive(who), v=value, p=before, verb=verb)
    compared = _compared(raw.replace(when.words, " ") if when else raw, grammar)
    return Candidate(
        kind=rule.kind,
        slot=rule.slot,
        topic=rule.slot if rule.single else f"{rule.slot}/{_topic(rule, verb, compared)}",
        value=when.iso if rule.dated and when else compared,
        hold=rule.hold,
        text=_with_date(" ".join(text.split()), when),
        subject=said.subject,
        entities=_entities(value, said.name),
        valid_from_us=when.from_us if when and (_events(rule) or when.since) else 0,
        valid_until_us=when.until_us if when and _events(rule) and not when.since else 0,
        said_us=said.time_us,
        start=0,
        end=0,
        confidence=rule.confidence,
    )


def _says_nothing(rule: Rule, value: str, match: re.Match[str], grammar: Grammar) -> bool:
    """Whether the value is none ("I love it"), or denied ("ich wohne in Kassel nicht")."""
    if _events(rule) and grammar.denial.search(value):
        return True
    if not _events(rule) and grammar.idle.fullmatch(value):
        return True
    denied = grammar.denied.match(match.string, match.end()) is not None
    return denied and rule.hold is Hold.HOLDS


def _behind_comma(match: re.Match[str], grammar: Grammar, said: Utterance) -> Dated | None:
    """The date of "we have a party, on the 9th": it begins right behind the clause."""
    behind = match.string[match.end() : match.end() + 40]
    when = grammar.calendar.find(behind, said.time_us, True) if behind.startswith(",") else None
    return when if when is not None and behind.find(when.words) <= 6 else None


def _before_words(text: str) -> int:
    found = _WORD.search(text)
    return found.start() if found else 0


def _events(rule: Rule) -> bool:
    return rule.kind is Kind.EVENT


def _topic(rule: Rule, verb: str, compared: str) -> str:
    return f"{verb} {compared}".strip() if _events(rule) else compared


def _with_date(text: str, when: Dated | None) -> str:
    if when is None:
        return text
    return f"{text} ({when.iso}–)" if when.since else f"{text} ({when.iso})"


def _compared(value: str, grammar: Grammar, most: int = 80) -> str:
    """The value as restatements have it in common: no accents, no articles, no capitals."""
    plain = unicodedata.normalize("NFD", value.lower())
    plain = "".join(it for it in plain if not unicodedata.combining(it))
    words = re.sub(r"[^\w]+", " ", grammar.articles.sub("", plain)).split()
    return " ".join(words)[:most]


def _entities(value: str, name: str) -> Sequence[str]:
    found = dict.fromkeys(_ENTITY.findall(value))
    return [it for it in found if it != name][:16]


def _language(text: str, otherwise: str) -> str:
    """The language that most of the words tell; ``otherwise`` if none does, or two do alike."""
    words = {it.lower() for it in _WORD.findall(text)}
    counts = sorted(((len(words & it), name) for name, it in _TELLING.items()), reverse=True)
    if counts[0][0] > counts[1][0]:
        return counts[0][1]
    return otherwise if otherwise in _LANGUAGES else "en"


@cache
def _grammar(language: str) -> Grammar:
    tables: Language = _LANGUAGES[language]
    return Grammar(tables)
