"""Finds what somebody asks to have remembered: "Please remember that …", "Merk dir, dass …"."""

import re
from dataclasses import dataclass

MOST_CHARACTERS = 300
"""Of what is remembered as it was said."""

_ENGLISH_TIMES = (
    "day|days|time|times|night|evening|morning|afternoon|weekend|week|summer|winter|spring|autumn|"
    "fall|year|trip|holiday|party|place|house|moment|one|thing|story|song|film|movie|game|guy|man|"
    "woman|girl|boy|kid|when"
)
# "Remember that day at the sea!" asks for nothing to be kept.
_THAT = (
    rf"that (?!(?:(?!(?:the|my|our|your|his|her|their|its|an?|each|every|no)\b)\w+ )?"
    rf"(?:{_ENGLISH_TIMES})\b)"
)
_ASKED = re.compile(
    rf"""^\W*
    (?:(?:please|and|also|oh|so|now|ok|okay|hey|hi|hello|bitte|und|ach|hallo|
    s'il\ (?:te|vous)\ pla[iî]t|et|alors|por\ favor|y|oye)[,!:]*\ )*
    (?:
      (?:remember|(?:don't|do\ not|never)\ forget)(?:,?\ please,?)?
      (?:\ (?-x:{_THAT})|(?:\ this)?(?P<en>:))
    | (?:merke?\ dir|merken\ Sie\ sich|vergiss\ nicht|vergiss\ bitte\ nicht|
      vergessen\ Sie\ (?:bitte\ )?nicht)(?:\ bitte)?(?:,?\ da(?:ss|ß)\ |(?P<de>:))
    | (?:retiens|retenez|(?:n'|ne\ )?oublie[sz]?\ pas|souviens-toi|souvenez-vous|rappelle-toi|
      rappelez-vous)(?:\ bien)?(?:,?\ s'il\ (?:te|vous)\ pla[iî]t,?)?
      (?:\ (?:que\ |qu')|\ ?(?P<fr>:))
    | (?:recuerd[ae]|no\ (?:te\ )?olvides|no\ (?:se\ )?olvide|acu[eé]rdate)(?:,?\ por\ favor,?)?
      (?:\ (?:de\ )?que\ |(?P<es>:))
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_WORD = re.compile(r"\w")
_END = " \t\r\n.!…"


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be remembered stands there in the sentence; ``is_told`` behind a colon."""

    start: int
    end: int
    is_told: bool


def request_in(sentence: str, written: str) -> Request | None:
    """What a sentence that states something begins to ask for; a question asks for nothing.

    ``written`` is all that stands there: of the sentence, what is quoted and the like is blank.
    """
    found = _ASKED.match(sentence)
    if found is None or not _WORD.search(sentence, found.end()):
        return None
    start, end = found.end(), len(written.rstrip(_END))
    if end - start > MOST_CHARACTERS:
        end = _last_word_before(written, start, start + MOST_CHARACTERS)
    return Request(start, end, any(found.groupdict().values()))


def _last_word_before(written: str, start: int, most: int) -> int:
    """The end of the last whole word; of a single word that is longer its middle."""
    gap = written.rfind(" ", start, most + 1)
    return gap if gap > start else most
