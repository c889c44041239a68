"""What can be told of a text by looking at it: that it asks, that it dates."""

from collections.abc import Sequence

from antiphon_server.memory.index.columns import DATED, QUESTION

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


def flags(text: str, found: Sequence[str]) -> int:
    """The flags of a text; `found` are its words in lower case."""
    asks = text.rstrip().endswith(("?", "\uff1f"))
    return QUESTION * asks | DATED * (not _DATES.isdisjoint(found))
