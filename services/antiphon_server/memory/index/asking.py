"""What a query asks for beside its words."""

import re

_WHEN = re.compile(
    r"\bwhen\b|\bhow long\b|\b(?:what|which) (?:day|date|month|year|season)\b"
    r"|\bwann\b|\bwie lange\b|\b(?:welche[mnrs]?) (?:tag|datum|monat|jahr)\b"
    r"|\bquand\b|\bcombien de temps\b|\bquel(?:le)? (?:jour|date|mois|année)\b"
    r"|\bcu[aá]ndo\b|\bcu[aá]nto tiempo\b|\bqu[eé] (?:d[ií]a|fecha|mes|año)\b",
    re.IGNORECASE,
)


def asks_when(text: str) -> bool:
    """Whether the query wants a time."""
    return _WHEN.search(text) is not None
