"""Refusals by budgets -> sentences that say what is left, and what helps."""

from datetime import datetime

from antiphon_client import AntiphonError
from antiphon_server.runtime.errors.waits import in_words

_GLOBAL = "global"
_SOON_S = 60


def exceeded(error: AntiphonError) -> str:
    """That a budget has too little left: how much of what, and what helps."""
    told = error.metadata
    parent, name = told.get("parent"), f"{told.get('budget')}{_of_key(error)}"
    if not parent:
        return "the budget that had too little left was changed just now; ask again"
    if parent == _GLOBAL:
        return (
            f"the installation's budget {name} has too little left. "
            f"{_what_helps(error, 'an operator')}: `antiphon budgets --installation` shows it to "
            "them"
        )
    limit = _counted(told.get("limit", "?"), told.get("unit", ""))
    return (
        f"the budget {name} has too little left: of {limit}, {told.get('spent')} are spent and "
        f"{told.get('reserved')} reserved by answers under way; this may take "
        f"{told.get('needed')}. {_what_helps(error, 'an admin')}: `antiphon budgets` shows it"
    )


def price_unknown(error: AntiphonError) -> str:
    """That a budget counts money, and nobody knows what something costs in it."""
    told = error.metadata
    budget, target, currency = told.get("budget"), told.get("target"), told.get("currency")
    if known := told.get("price_currency"):
        why = f"{target} costs {known}, and the budget {budget} counts {currency}"
    else:
        why = f"the budget {budget} counts {currency}, and what {target} costs is not known"
    out = "leave it out of the budget's targets"
    if told.get("kind") == "tool":
        price = f'`antiphon tools price {target} "0.01 {currency}"`'
        return f"{why}: have an admin say its price in {currency}, {price}, or {out}"
    money, other = (f" in {currency}", f"have the budget count {known}, or ") if known else ("", "")
    return (
        f"{why}: give its prices{money} in the server's settings (input_price_micros, "
        f"output_price_micros), {other or 'or '}{out}"
    )


def _what_helps(error: AntiphonError, who: str) -> str:
    """What a caller can do, with or without those who can raise it."""
    less, wait = _less_helps(error), error.retry_after
    others = f"ask for less, or have {who} raise it" if less else f"have {who} raise it"
    if wait is None:
        return f"Waiting does not help. {others[0].upper()}{others[1:]}"
    others = others if less else f"or {others}"
    if wait < _SOON_S:
        return f"Ask again in {in_words(wait)}, {others}"
    return f"It begins anew in {in_words(wait)}{_when(error)}. Wait until then, {others}"


def _less_helps(error: AntiphonError) -> bool:
    """Whether some other call may fit: one counts as one, and of nothing there is no less."""
    told = error.metadata
    if told.get("unit") == "calls":
        return False
    try:
        return float(told["limit"]) > float(told["spent"])
    except (KeyError, ValueError):  # the installation's sums are told to nobody
        return True


def _when(error: AntiphonError) -> str:
    try:
        at = datetime.fromisoformat(error.metadata["resets_at"]).astimezone()
    except (KeyError, ValueError, OverflowError):
        return ""
    return f" ({at:%Y-%m-%d %H:%M %Z})"


def _counted(number: str, unit: str) -> str:
    return f"{number} {unit.removesuffix('s') if number == '1' else unit}".rstrip()


def _of_key(error: AntiphonError) -> str:
    """Of which API key a budget is: whoever uses it has others, or none, to go on with."""
    told = error.metadata
    return f" of the API key {told.get('subject')}" if told.get("scope") == "API_KEY" else ""
