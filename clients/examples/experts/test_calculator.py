"""What the calculator understands, what it comes to, and what it refuses."""

import time

import pytest
from experts.calculator.answer import MAX_CHARACTERS, USAGE, answer

EXACT = {
    "1 + 2 * 3": "7",
    "(1 + 2) * 3": "9",
    "10 - 4 - 3": "3",
    "100 / 10 / 5": "2",
    "2 ^ 3 ^ 2": "512",
    "-2 ^ 2": "-4",
    "2 ^ -1": "0.5",
    "0.1 + 0.2": "0.3",
    "1 / 8": "0.125",
    "0 ^ 0": "1",
    "1 ^ 1e999": "1",
    "50 %": "0.5",
    "200 + 10%": "220",
    "200 - 10%": "180",
    "200 * 10%": "20",
    "10% of 200": "20",
    "17 percent of 250": "42.5",
    "1,000 + 1": "1001",
    "1_000 + 1": "1001",
    "max(1,000, 2)": "2",
    "6 ÷ 3 \N{MULTIPLICATION SIGN} 2 \N{MINUS SIGN} 1": "3",
    "7 x 6": "42",
    "2 ** 10": "1024",
    "1e-9": "0.000000001",
    "sqrt(16)": "4",
    "8 ^ (2 / 3)": "4",
    "round(2.5)": "3",
    "round(-2.5)": "-3",
    "round(10 / 3, 2)": "3.33",
    "floor(-1.5)": "-2",
    "ceil(-1.5)": "-1",
    "min(3, 1, 2)": "1",
    "sum(1, 2, 3) - mean(1, 2, 3)": "4",
    "mod(-7, 3)": "2",
    "gcd(12, 18) + lcm(4, 6)": "18",
    "factorial(5)": "120",
    "abs(-3)": "3",
}
ROUNDED = {
    "1/3": "= 1/3 ≈ 0.333333333333",
    "sqrt(16/9)": "= 4/3 ≈ 1.33333333333",
    "sqrt(2)": "≈ 1.41421356237",
    "sqrt(2) * sqrt(2)": "≈ 2",
    "2 ^ pi": "≈ 8.82497782708",
    "pi": "≈ 3.14159265359",
    "2^200": "≈ 1.60693804426e60 (a whole number of 61 digits)",
    "1 / 2^300": "≈ 4.9090934653e-91",
}
MISTAKES = {
    "3 * (4 + )": (10, "a number is missing here"),
    "3 +": (4, "a number is missing here"),
    "3 * foo": (5, "'foo' is not known here"),
    "what is foo(3) + 1?": (9, "'foo' is not known here"),
    "3 4": (3, "an operator is missing here"),
    "7 % 3": (5, "mod(7, 3)"),
    "3,5 + 1": (2, "decimals have a point"),
    "((1 + 2)": (1, "this bracket is not closed"),
    "1 + 2)": (6, "closes none"),
    "sum(1, 2": (4, "this bracket is not closed"),
    "1 + 4 / (2 - 2)": (7, "a division by zero"),
    "0 ^ -1": (3, "a division by zero"),
    "mod(1, 0)": (1, "divides by zero"),
    "sqrt(-1)": (1, "a root of a negative number"),
    "sqrt(1, 2)": (1, "how many numbers sqrt takes: 1"),
    "round(1, 2, 3)": (1, "how many numbers round takes: 1 to 2"),
    "gcd(1.5, 2)": (1, "takes whole numbers"),
    "factorial(1001)": (1, "at most 1000"),
    "factorial(-1)": (1, "no negative"),
    "round(1, 1000)": (1, "at most 100"),
    "9^9^9^9": (4, "too large"),
    "2 ^ 99999.5": (3, "too large"),
    "1e1000 * 1e1000 * 1e1000 * 1e1000": (26, "too large"),
    "1e9999": (1, "an exponent beyond 1000"),
    "9" * 1001: (1, "more than 1000 digits"),
    "(" * 60 + "1": (51, "nested more than 50 deep"),
    "1" + "^1" * 60: (101, "nested more than 50 deep"),
}


@pytest.mark.parametrize(("asked", "result"), EXACT.items())
def test_what_is_exact(asked: str, result: str) -> None:
    """No digit is lost."""
    assert answer(asked) == f"- `{asked}` = {result}"


@pytest.mark.parametrize(("asked", "result"), ROUNDED.items())
def test_what_is_rounded_says_so(asked: str, result: str) -> None:
    """Twelve digits, behind a sign of its own."""
    assert answer(asked) == f"- `{asked}` {result}"


@pytest.mark.parametrize(("asked", "mistake"), MISTAKES.items())
def test_a_mistake_has_a_column(asked: str, mistake: tuple[int, str]) -> None:
    """The pointer stands under what it is about."""
    column, message = mistake
    _, block, line, pointer, end = answer(asked).split("\n")
    assert (block, end) == ("```text", "```")
    assert f"^ column {column}: " in pointer
    assert message in pointer
    assert line[pointer.index("^") :][:1] == asked[column - 1 : column]


@pytest.mark.parametrize(
    ("sentence", "expressions"),
    {
        "what is 3 * (4 + 5)?": ["3 * (4 + 5)"],
        "What is 3 + 4, and what is 5 * 6?": ["3 + 4", "5 * 6"],
        "the square of 5 + 3": ["5 + 3"],
        "In 2024 we paid 3 * 40.": ["3 * 40"],
        "What is pi?": ["pi"],
        "three plus 4 minus 2": ["4 minus 2"],
        "1 + 1\n2 + 2": ["1 + 1", "2 + 2"],
        "12.50 * 3 =": ["12.50 * 3"],
        "42": ["42"],
    }.items(),
)
def test_a_sentence_has_expressions(sentence: str, expressions: list[str]) -> None:
    """Words around them are passed over."""
    assert [line.split("`")[1] for line in answer(sentence).splitlines()] == expressions


@pytest.mark.parametrize("message", ["", "hello", "e", "sum of all", "???", "- -"])
def test_where_there_is_nothing_it_says_what_it_takes(message: str) -> None:
    """With examples."""
    assert answer(message) == USAGE


def test_a_block_can_t_be_left() -> None:
    """What somebody writes stays within what is shown of it."""
    assert answer("1 + ```").count("```") == 2


@pytest.mark.parametrize(
    "line",
    [
        "+".join(["1"] * 1999),
        "*".join(["999999999"] * 390),
        "+".join(f"1/{1000 + number}" for number in range(560)),
        "\n".join(["factorial(999)"] * 260),
        "\n".join(["2^.1"] * 799),
        "\n".join(["9^4000"] * 570),
        "-" * 3999 + "1",
        "1(" * 1999,
        f"sum({','.join(f'1/{number}^3000' for number in range(11, 360, 2))})",
        f"lcm({','.join(f'{number}^999' for number in range(11, 500, 2))})",
        "1,111" * 790,
    ],
)
def test_whatever_is_asked_costs_little(line: str) -> None:
    """A message may not keep other turns waiting."""
    assert len(line) <= MAX_CHARACTERS
    began = time.process_time()
    answer(line)
    assert time.process_time() - began < 1.0


def test_too_much_is_refused() -> None:
    """Before anything of it is read."""
    assert "at most 4000 characters" in answer("1" * (MAX_CHARACTERS + 1))
