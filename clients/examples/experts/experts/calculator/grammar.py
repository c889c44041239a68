"""The grammar, by recursive descent: tokens become a tree."""

from collections.abc import Callable, Sequence
from fractions import Fraction

from experts.calculator.tokens import MAX_DIGITS, Mistake, Token
from experts.calculator.tree import (
    Call,
    Chain,
    Constant,
    Negated,
    Number,
    Percent,
    Power,
    Step,
    Tree,
)

MAX_DEPTH = 50

GRAMMAR = """
sum     = product { ("+" | "-") product }
product = signed { ("*" | "/") signed }
signed  = ( "+" | "-" ) signed | power
power   = percent [ "^" signed ]
percent = atom { "%" }
atom    = number | constant | function "(" sum { "," sum } ")" | "(" sum ")"
"""


def parse(tokens: Sequence[Token]) -> Tree:
    """The whole of the tokens as one expression. Raises Mistake."""
    return _Parser(tokens).whole()


class _Parser:
    """A method for each rule of the grammar."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        last = tokens[-1] if tokens else Token("end", "", 1, 0)
        self._tokens = [*tokens, Token("end", "", last.column + last.written, 0)]
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def whole(self) -> Tree:
        tree = self._sum()
        if self._next.kind != "end":
            raise Mistake(self._next.column, self._left_over())
        return tree

    def _left_over(self) -> str:
        after, before = self._next, self._tokens[self._at - 1]
        if before.text == "%":
            return "an operator is missing here; for what a division leaves write mod(7, 3)"
        if after.text == ")":
            return "this bracket closes none that is open"
        if after.text == ",":
            return "a comma parts the arguments of a function; decimals have a point"
        return "an operator is missing here" if after.kind != "other" else _unknown(after)

    def _taken(self, *signs: str) -> Token | None:
        if self._next.kind == "sign" and self._next.text in signs:
            self._at += 1
            return self._tokens[self._at - 1]
        return None

    def _chain(self, operand: Callable[[], Tree], *signs: str) -> Tree:
        first, steps = operand(), []
        while sign := self._taken(*signs):
            steps.append(Step(sign.text, operand(), sign.column))
        return Chain(first, tuple(steps)) if steps else first

    def _sum(self) -> Tree:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Tree:
        return self._chain(self._signed, "*", "/")

    def _signed(self) -> Tree:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Mistake(self._next.column, f"nested more than {MAX_DEPTH} deep")
        sign = self._taken("+", "-")
        tree = self._signed() if sign else self._power()
        self._depth -= 1
        return Negated(tree, sign.column) if sign and sign.text == "-" else tree

    def _power(self) -> Tree:
        base = self._percent()
        sign = self._taken("^")
        return Power(base, self._signed(), sign.column) if sign else base

    def _percent(self) -> Tree:
        tree = self._atom()
        while sign := self._taken("%"):
            tree = Percent(tree, sign.column)
        return tree

    def _atom(self) -> Tree:
        token = self._next
        self._at += token.kind != "end"
        if token.kind == "number":
            return _number(token)
        if token.kind == "constant":
            return Constant(token.text, token.column)
        if token.kind == "function":
            opened = self._tokens[self._at]
            self._at += 1
            return Call(token.text, self._arguments(opened), token.column)
        if token.text == "(" and token.kind == "sign":
            return self._closed(self._sum(), token)
        raise Mistake(token.column, _unknown(token) if token.kind == "other" else _MISSING)

    def _arguments(self, opened: Token) -> tuple[Tree, ...]:
        arguments = [self._sum()]
        while self._taken(","):
            arguments.append(self._sum())
        self._closed(arguments[-1], opened)
        return tuple(arguments)

    def _closed(self, tree: Tree, opened: Token) -> Tree:
        if self._taken(")"):
            return tree
        if self._next.kind == "end":
            raise Mistake(opened.column, "this bracket is not closed")
        raise Mistake(self._next.column, self._left_over())


_MISSING = "a number is missing here"


def _unknown(token: Token) -> str:
    return f"{token.text!r} is not known here"


def _number(token: Token) -> Number:
    if token.written > MAX_DIGITS:
        raise Mistake(token.column, f"a number of more than {MAX_DIGITS} digits")
    mantissa, _, exponent = token.text.lower().partition("e")
    if abs(int(exponent or 0)) > MAX_DIGITS:
        raise Mistake(token.column, f"an exponent beyond {MAX_DIGITS}")
    return Number(Fraction(mantissa) * Fraction(10) ** int(exponent or 0), token.column)
