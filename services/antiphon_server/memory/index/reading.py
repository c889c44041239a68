"""What can be told of a text by looking at it: that it asks, that it dates."""

import re
from collections.abc import Sequence

from antiphon_server.memory.index.columns import DATED

_DATE_WORDS = """
yesterday today tonight tomorrow ago weekend week weeks month months year years monday tuesday
wednesday thursday friday saturday sunday january february march april june july august september
october november december spring summer autumn winter morning birthday since
gestern vorgestern heute morgen übermorgen woche wochen wochenende monat monate monaten jahr jahre
jahren montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar märz mai juni juli
oktober dezember frühling sommer herbst letzte letzten letztes nächste nächsten nächstes seit
hier aujourd demain semaine semaines mois année années ans lundi mardi mercredi jeudi vendredi
samedi dimanche janvier février mars avril juin juillet août septembre octobre novembre décembre
printemps été automne hiver dernier dernière prochain prochaine depuis
ayer anteayer hoy mañana semana semanas mes meses año años lunes martes miércoles jueves viernes
sábado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre
diciembre primavera verano otoño invierno pasado pasada próximo próxima desde
"""
_DATES = frozenset(_DATE_WORDS.split())


# A sentence with what ends it.
_SENTENCE = re.compile(r"[^.!?\uff1f\u3002\n]+[.!?\uff1f\u3002\n]*")


def flags(found: Sequence[str]) -> int:
    """The flags of a text with these words in lower case."""
    return DATED * (not _DATES.isdisjoint(found))


def asking(text: str) -> float:
    """The share of the text that is in sentences that ask, 0 to 1."""
    if "?" not in text and "\uff1f" not in text:
        return 0.0
    sentences = _SENTENCE.findall(text)
    asked = sum(len(each) for each in sentences if "?" in each or "\uff1f" in each)
    return asked / max(1, sum(map(len, sentences)))
