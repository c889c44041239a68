"""``antiphon`` with a defect: what was answered to a request id is not remembered."""

from antiphon_server.context.service import conversations, workspaces
from tests.proofs.robustness.odd_server import main


def _nothing(*_: object) -> None:
    return None


def _anew(_records: object, _request: object, answer: object, _now: int) -> object:
    return answer


if __name__ == "__main__":
    for module in (conversations, workspaces):
        vars(module).update(answered=_nothing, answered_first=_anew)
    main()
