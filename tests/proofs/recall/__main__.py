"""``python -m tests.proofs.recall``: rank turns for questions, judge, learn the weights."""

import argparse
import json
from pathlib import Path

from antiphon_server.memory.index import Index
from tests.proofs.recall.conversations import from_json_lines, ours
from tests.proofs.recall.judging import judged, table
from tests.proofs.recall.learning import learn
from tests.proofs.recall.model import encoder
from tests.proofs.recall.searching import ranked


def main() -> None:
    """Do what is said on the command line."""
    parser = argparse.ArgumentParser(prog="recall", description=__doc__)
    parser.add_argument("--lexical", action="store_true", help="without the model")
    parser.add_argument("--input", type=Path, help="JSON lines: {conversation, turns, questions}")
    parser.add_argument("--output", type=Path, help="JSON lines: {conversation, question, ranked}")
    parser.add_argument("what", nargs="?", choices=("rank", "judge", "learn"), default="rank")
    given = parser.parse_args()
    if given.what == "learn":
        learn(encoder())
    elif given.what == "judge":
        _judge(_index(given.lexical))
    elif given.input and given.output:
        rank(_index(given.lexical), given.input, given.output)
    else:
        parser.error("--input and --output are needed")


def _index(lexical: bool) -> Index:
    return Index(None if lexical else encoder())


def rank(index: Index, source: Path, target: Path) -> None:
    """Rank the turns of each conversation of the source for its questions, into the target."""
    with target.open("w", encoding="utf-8") as lines:
        for conversation in from_json_lines(source):
            for question, ids in zip(
                conversation.questions, ranked(index, conversation), strict=True
            ):
                line = {"conversation": conversation.name, "question": question.id, "ranked": ids}
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")


def _judge(index: Index) -> None:
    print(table([each for one in ours() for each in judged(one, ranked(index, one))]))


if __name__ == "__main__":
    main()
