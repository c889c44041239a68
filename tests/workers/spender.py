"""A worker whose turns spend, and have others spend: `3 4` asks for three that ask for four each.

Each asks a model once itself; the last ones that are asked for are built-in assistants. What a turn
answers is how it went for each in its tree: `paid`, or the reason why not. Run as a program.
"""

import asyncio

from antiphon_client import AntiphonError
from antiphon_client.worker import Delegated, Work, Worker

ASSISTANT = "assistant"


async def spend(work: Work) -> None:
    """Ask a model, and have those below ask."""
    many, *rest = work.message.split()
    said = [await _asked(work)]
    below = ("spender", " ".join(rest)) if rest else (ASSISTANT, "hello")
    said += [_said(end) for end in await work.delegate_all([below] * int(many))]
    await work.write(" ".join(said))


async def _asked(work: Work) -> str:
    try:
        async for _ in work.generate("hello", history=False, max_output_tokens=8):
            pass
    except AntiphonError as error:
        return error.reason
    return "paid"


def _said(end: Delegated) -> str:
    if end.error is not None:
        return end.error.reason
    return "paid" if end.text == "hello" else end.text


def main() -> None:
    """Serve the handler until told to stop."""
    worker = Worker("spender", slots=100)
    worker.handler("spender", description="Spends.")(spend)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
