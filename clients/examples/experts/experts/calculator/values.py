"""Numbers that say whether they are exact, and how large one may become."""

from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException
from fractions import Fraction

from experts.calculator.tokens import Mistake

MAX_BITS = 13_000
"""Of a numerator or denominator: some 3,900 digits, which Python still prints."""
DIGITS = 50
"""How precise roots and constants are, inside."""
MAX_ROOT = 64
TOO_LARGE = "this becomes too large to be exact"

_ROUNDED = Context(prec=DIGITS, Emax=9_999, Emin=-9_999)


@dataclass(frozen=True, slots=True)
class Value:
    """A number; ``exact`` unless a root or constant on the way had to be rounded."""

    of: Fraction
    exact: bool = True


PI = Value(Fraction("3.14159265358979323846264338327950288419716939937511"), exact=False)
E = Value(Fraction("2.71828182845904523536028747135266249775724709369996"), exact=False)


def bounded(value: Value, column: int) -> Value:
    """The value, unless it is too large. Raises Mistake."""
    if bits(value.of) > MAX_BITS:
        raise Mistake(column, TOO_LARGE)
    return value


def bits(of: Fraction) -> int:
    """How large its numerator or denominator is."""
    return max(of.numerator.bit_length(), of.denominator.bit_length())


def power(base: Value, exponent: Value, column: int) -> Value:
    """``base`` to the ``exponent``, exact where it can be. Raises Mistake."""
    if base.of == 0 and exponent.of < 0:
        raise Mistake(column, "a division by zero")
    if exponent.of.denominator == 1:
        return _whole_power(base, exponent, column)
    if base.of < 0:
        raise Mistake(column, "a root of a negative number")
    root = _exact_root(base.of, exponent.of.denominator) if base.exact and exponent.exact else None
    if root is not None:
        return _whole_power(Value(root), Value(Fraction(exponent.of.numerator)), column)
    return _rounded_power(base.of, exponent.of, column)


def _whole_power(base: Value, exponent: Value, column: int) -> Value:
    if base.of not in (0, 1, -1) and (bits(base.of) - 1) * abs(exponent.of) > MAX_BITS:
        raise Mistake(column, TOO_LARGE)
    if base.of in (0, 1, -1):  # however large the exponent is
        of = base.of if exponent.of % 2 else base.of**2 if exponent.of else Fraction(1)
        return Value(of, base.exact and exponent.exact)
    return Value(base.of ** int(exponent.of), base.exact and exponent.exact)


def _exact_root(of: Fraction, degree: int) -> Fraction | None:
    if degree > MAX_ROOT:
        return None
    parts = [_whole_root(part, degree) for part in (of.numerator, of.denominator)]
    root = Fraction(parts[0], parts[1] or 1)
    return root if root**degree == of else None


def _whole_root(of: int, degree: int) -> int:
    """The largest whole number whose power is not above ``of``, by Newton's steps."""
    if of < 2:
        return of
    root = 1 << -(-of.bit_length() // degree)
    while True:
        lower = ((degree - 1) * root + of // root ** (degree - 1)) // degree
        if lower >= root:
            return root
        root = lower


def _rounded_power(base: Fraction, exponent: Fraction, column: int) -> Value:
    try:
        rounded = _ROUNDED.power(decimal(base), decimal(exponent))
    except DecimalException:
        raise Mistake(column, "this becomes too large") from None
    if not rounded.is_finite():
        raise Mistake(column, "this becomes too large")
    return Value(Fraction(rounded), exact=False)


def decimal(of: Fraction) -> Decimal:
    """Rounded to 50 digits."""
    return _ROUNDED.divide(_ROUNDED.create_decimal(of.numerator), Decimal(of.denominator))
