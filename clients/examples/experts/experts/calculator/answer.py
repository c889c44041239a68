"""What the calculator says to a message."""

from decimal import Decimal

from experts.calculator.evaluation import evaluate
from experts.calculator.grammar import parse
from experts.calculator.sentences import Expression, expressions
from experts.calculator.tokens import Mistake
from experts.calculator.values import Value, decimal

MAX_CHARACTERS = 4_000
SHOWN_DIGITS = 12
"""Of a number that can't be written exactly."""
MAX_SHOWN = 60
"""Characters of an exact number; longer ones are told in short."""
USAGE = (
    "I found nothing to calculate. Write an expression, such as `3 * (4 + 5)`, `200 + 10%`, "
    "`sqrt(2)` or `round(10 / 3, 2)`; several lines are several expressions."
)


def answer(message: str) -> str:
    """Each line's results, or what is wrong with it and where; Markdown."""
    if len(message) > MAX_CHARACTERS:
        return f"That is too long: I read at most {MAX_CHARACTERS} characters."
    said = [_said(found) for line in message.splitlines() for found in expressions(line)]
    return "\n".join(said) if said else USAGE


def _said(expression: Expression) -> str:
    try:
        value = evaluate(parse(expression.tokens))
    except Mistake as mistake:
        return _shown(expression.line, mistake)
    text = expression.text
    shown = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
    return f"- `{shown}` {written(value)}"


def _shown(line: str, mistake: Mistake) -> str:
    """The part of the line around the mistake, in a block that nothing in it can end."""
    start = max(mistake.column - MAX_SHOWN, 0)
    part = line[start : start + 2 * MAX_SHOWN].expandtabs(1).replace("`", "'")
    pointer = f"{' ' * (mistake.column - 1 - start)}^ column {mistake.column}: {mistake.message}"
    return f"\n```text\n{part}\n{pointer}\n```"


def written(value: Value) -> str:
    """The value behind its sign: "= 27", "= 1/3 ≈ 0.333333333333", "≈ 1.41421356237"."""
    near = _near(value)
    if not value.exact:
        return f"≈ {near}"
    exact = _exact(value)
    if len(exact) > MAX_SHOWN:
        return f"≈ {near}{_digits(value)}"
    return f"= {exact} ≈ {near}" if "/" in exact else f"= {exact}"


def _exact(value: Value) -> str:
    """As a whole or decimal number where it is one, else as a fraction."""
    of = value.of
    twos, rest = 0, of.denominator
    while rest % 2 == 0:
        twos, rest = twos + 1, rest // 2
    fives = 0
    while rest % 5 == 0:
        fives, rest = fives + 1, rest // 5
    if rest != 1:
        return str(of)
    places = max(twos, fives)
    digits = str(abs(of.numerator) * (10**places // of.denominator)).rjust(places + 1, "0")
    sign = "-" if of < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def _near(value: Value) -> str:
    rounded = Decimal(f"{decimal(value.of):.{SHOWN_DIGITS}g}").normalize()
    plain = -5 <= rounded.adjusted() < SHOWN_DIGITS + 3
    return f"{rounded:f}" if plain else f"{rounded:E}".replace("E+", "e").replace("E", "e")


def _digits(value: Value) -> str:
    if value.of.denominator != 1:
        return ""
    return f" (a whole number of {len(str(abs(value.of.numerator)))} digits)"
