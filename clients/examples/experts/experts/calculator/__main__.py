"""A worker that calculates: ``python -m experts.calculator``."""

from antiphon_client.worker import Work, Worker
from experts.calculator.answer import answer
from experts.flags import parser, served, shown

HELP = """A calculator: dials in to an Antiphon server and answers what is sent to its handler.

It takes expressions out of sentences, line by line: + - * / ^, brackets, percent (200 + 10% is
220), sqrt, abs, min, max, round, floor, ceil, sum, mean, mod, gcd, lcm, factorial, pi and e.
Results are exact, or say that they are not (≈); mistakes are shown by column."""

EXAMPLES = (
    "What is 3 * (4 + 5)?",
    "(12.5 - 4) / 3",
    "How much is 1200 plus 19%?",
    "sqrt(2) to the power of 10",
    "Calculate the mean of 3, 7, 12 and 20.",
    "Please add these up: 14.99 + 3.50 + 120",
    "Was ergibt 17 mal 23?",
    "Wie viel sind 15% von 240 Euro?",
    "Berechne die Wurzel aus 1764.",
    "Bitte rechne aus: 4711 geteilt durch 13",
)

worker = Worker("calculator", version="1", slots=8, on_connection=shown)


@worker.handler(
    "calculator", description="Calculates, exactly, what a message asks.", examples=EXAMPLES
)
async def calculate(work: Work) -> None:
    """Answer at once; on a second attempt, what the first one has not said yet."""
    await work.write(answer(work.message)[len(work.resumed_text) :])


if __name__ == "__main__":
    parser("calculator", HELP).parse_args()
    served(worker)
