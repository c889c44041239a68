"""Splits a text into sentences that may say something of whoever wrote them.

What is quoted, shown, commanded, asked or meant as a joke is not among them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST_TEXT = 20_000
"""Of a text, in characters: what is behind that is not read; so long texts are mostly pasted."""
LONGEST_SENTENCE = 400

_LEFT_OUT = re.compile(
    r"""
    ^(?:```|~~~)[^\n]*\n.*?(?:^(?:```|~~~)[^\n]*$|\Z)   # blocks of code
    | `[^`\n]{0,400}`
    | ^[ \t]*>[^\n]*$                                   # what others wrote
    | ^[ \t]*(?:[/$%\#!|]|(?:>>>|[-*]\ \[)|\ {4})[^\n]*$   # commands, tables, lists to tick off
    | \[(?:photo|foto|picture|image|bild)\s?:[^\]]{0,400}\]
    | https?://\S+
    | "[^"\n]{0,400}"|„[^“”"\n]{0,400}[“”"]|“[^”\n]{0,400}”|«[^»\n]{0,400}»|»[^«\n]{0,400}«
    | ‘[^’\n]{0,400}’(?!\w)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_END = re.compile(r"\.(?=\s|$)|[!?…]+|\.{2,}|\n")
# A full stop that ends nothing: behind an ordinal of German ("am 1. Oktober"), or an abbreviation.
_GOES_ON = re.compile(
    r"(?:\b(?:am|vom|zum|den|der|dem|des|ab|bis|beim|im|und|seit|mein|meinen|meine) \d{1,2}|"
    r"\b(?:Mrs?|Ms|Dr|St|Prof|Sr|Sra|Mme|Hr|Fr|ca|bzw|z\.B|u\.a|No|Nr|av|etc))$"
)
_JOKES = re.compile(
    "[😂🤣😜😉😏🙃😝🤪]|[;:]-?[)P](?!\\w)"
    r"|\b(?:(?:ha){2,}h?|(?:ja){2,}|lol|jk|mdr|ptdr|xd|(?:just |only )?kidding|joking|joke|"
    r"(?:war (?:nur )?ein )?scherz|spaß|ironie|je (?:plaisante|rigole)|blague|de coña|"
    r"(?:es )?broma)\b"
    r"|(?<!\S)/[sj]\b",
    re.IGNORECASE,
)
# What comes next takes back what came before.
_RETRACTS = re.compile(
    r"(?:well|ok|okay|oh|bueno|na ja|naja|also|enfin|bon)[,.…]* (?:not yet|"
    r"not (?:really|quite)|no\b|nearly|almost|nein|noch nicht|nicht (?:ganz|wirklich)|fast|"
    r"pas (?:encore|vraiment)|non\b|presque|todavía no|casi)|"
    r"(?:not really|just kidding|no, wait|nein, warte|nur spaß|no es verdad)\b",
    re.IGNORECASE,
)

# Put behind a statement, this asks nothing.
_TAG = re.compile(
    r"(?<=,) ?¿?(?:you know|tu sais|tu vois|weißt du|weisst du|sabes|stell dir vor) ?[?!]+\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of a text, from ``start`` in it, in code points."""

    text: str
    start: int


def sentences(text: str) -> Sequence[Sentence]:
    """Those that state something, in order."""
    text = text[:LONGEST_TEXT]
    plain = _LEFT_OUT.sub(lambda it: " " * (it.end() - it.start()), text)
    plain = plain.replace("’", "'")
    found = [it for it in _split(plain) if it.text.strip()]
    kept = []
    for at, sentence in enumerate(found):
        after = found[at + 1].text.strip() if at + 1 < len(found) else ""
        stated = _TAG.sub("", sentence.text)
        if _states(stated) and not _taken_back(after):
            kept.append(Sentence(stated, sentence.start))
    return kept


def _split(text: str) -> Iterator[Sentence]:
    at = 0
    for end in _END.finditer(text):
        if end[0] == "." and _GOES_ON.search(text, max(at, end.start() - 16), end.start()):
            continue
        yield Sentence(text[at : end.end()], at)
        at = end.end()
    yield Sentence(text[at:], at)


def _states(sentence: str) -> bool:
    return (
        len(sentence) <= LONGEST_SENTENCE
        and "?" not in sentence
        and "¿" not in sentence
        and _JOKES.search(sentence) is None
    )


def _taken_back(after: str) -> bool:
    if _RETRACTS.match(after):
        return True
    return len(after.split()) <= 4 and _JOKES.search(after) is not None
