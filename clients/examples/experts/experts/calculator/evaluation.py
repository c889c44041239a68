"""A tree becomes a value."""

from fractions import Fraction

from experts.calculator.functions import FUNCTIONS, Unsuitable
from experts.calculator.tokens import Mistake
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
from experts.calculator.values import PI, E, Value, bounded, power

_HALF = Value(Fraction(1, 2))
_HUNDRED = 100


def evaluate(tree: Tree) -> Value:
    """What it comes to. Raises Mistake."""
    match tree:
        case Number(number):
            return Value(number)
        case Constant(name):
            return {"pi": PI, "e": E}[name]
        case Negated(of):
            value = evaluate(of)
            return Value(-value.of, value.exact)
        case Percent(of):
            value = evaluate(of)
            return Value(value.of / _HUNDRED, value.exact)
        case Chain(first, steps):
            value = evaluate(first)
            for step in steps:
                value = bounded(_applied(value, step), step.column)
            return value
        case Power(base, exponent, column):
            return bounded(power(evaluate(base), evaluate(exponent), column), column)
        case Call():
            return bounded(_call(tree), tree.column)


def _applied(left: Value, step: Step) -> Value:
    right = evaluate(step.operand)
    exact = left.exact and right.exact
    match step.sign:
        case "*":
            return Value(left.of * right.of, exact)
        case "/" if right.of == 0:
            raise Mistake(step.column, "a division by zero")
        case "/":
            return Value(left.of / right.of, exact)
    if isinstance(step.operand, Percent):
        right = Value(left.of * right.of, exact)
    return Value(left.of + right.of if step.sign == "+" else left.of - right.of, exact)


def _call(call: Call) -> Value:
    function = FUNCTIONS[call.name]
    if not function.takes(len(call.arguments)):
        raise Mistake(call.column, f"how many numbers {call.name} takes: {function.count}")
    values = [evaluate(argument) for argument in call.arguments]
    if call.name == "sqrt":
        return power(values[0], _HALF, call.column)
    try:
        of = function.of([value.of for value in values])
    except Unsuitable as why:
        raise Mistake(call.column, f"{call.name} {why}") from None
    return Value(Fraction(of), all(value.exact for value in values))
