"""What a query asks for beside its words."""

import re

from antiphon_server.memory.index.stopwords import STOPWORDS
from antiphon_server.memory.index.words import fold, words

_WHEN = re.compile(
    r"\bwhen\b|\bhow long\b|\b(?:what|which) (?:day|date|month|year|season)\b"
    r"|\bwann\b|\bwie lange\b|\b(?:welche[mnrs]?) (?:tag|datum|monat|jahr)\b"
    r"|\bquand\b|\bcombien de temps\b|\bquel(?:le)? (?:jour|date|mois|année)\b"
    r"|\bcu[aá]ndo\b|\bcu[aá]nto tiempo\b|\bqu[eé] (?:d[ií]a|fecha|mes|año)\b",
    re.IGNORECASE,
)

# Who asks what is known names nothing by these; a text that has them is found by them all the same.
_KNOWING = {
    "english": "know knows known remember remembers remembered recall tell told learned learnt "
    "saved noted please",
    "german": "weiß weißt wissen wisst kennst kennen erinnerst erinnern erinnert woran merkst "
    "gemerkt behalten gespeichert sag sage sagen gesagt erzähl erzähle erzählt bekannt bitte "
    "ueber fuer",
    "french": "sais sait savez connais connaissez souviens souvenez rappelles rappelez retiens "
    "retenu noté raconte dis dites appris propos sujet plaît",
    "spanish": "sabes sabe saben conoces conoce recuerdas recuerda recuerdan acuerdas acuerda "
    "dime cuéntame dicho aprendido guardado respecto acerca favor",
}
_POLITE = {"please", "bitte", "favor", "plait"}
_KNOWN = {fold(it) for those in _KNOWING.values() for it in those.split()} - _POLITE
_MONTHS = {"may"}
_SAYING_NOTHING = [
    {fold(it) for it in (*stopwords, *_KNOWING[language].split())} - _MONTHS
    for language, stopwords in STOPWORDS.items()
]


def asks_for_nothing(text: str) -> bool:
    """Whether somebody asks what is known and of nothing in particular: "What do you know of me?".

    One word alone is no question: it may be a name, or a word of another language. And "yes, do it"
    says nothing, but asks for nothing that is known.
    """
    asked = {fold(it) for it in words(text)}
    return (
        len(asked) > 1
        and not asked.isdisjoint(_KNOWN)
        and any(asked <= nothing for nothing in _SAYING_NOTHING)
    )


def asks_when(text: str) -> bool:
    """Whether the query wants a time."""
    return _WHEN.search(text) is not None
