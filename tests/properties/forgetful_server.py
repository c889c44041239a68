"""``antiphon`` with a defect: what was answered to a request id is not remembered."""

from antiphon_server.context.service import conversations, workspaces
from tests.robustness.odd_server import main


def _nothing(*_: object) -> None:
    return None


if __name__ == "__main__":
    for module in (conversations, workspaces):
        vars(module)["answered"] = _nothing
    main()
