"""``antiphon connections`` of servers of WebSockets, and what is forwarded to them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TOLD = {
    "id_member": "id",
    "tools": [{"name": "quote", "request": {"method": "quote"}}],
}


def test_one_is_added_by_a_file_of_its_tools(antiphon: Run, tmp_path: Path) -> None:
    """What it says is kept as it was said; a file that says nothing is refused."""
    antiphon("chat", "--once", "hello", "--handler", "echo")
    file = tmp_path / "prices.json"
    file.write_text("[1]")
    add = ("connections", "add", "prices", "--websocket", "ws://prices.invalid/ws", "--tools")
    assert antiphon(*add, str(file)).returncode == 2
    file.write_text(json.dumps(TOLD))
    assert "prices is down (NAME_NOT_FOUND)" in antiphon(*add, str(file)).stdout
    listed = json.loads(antiphon("connections", "list", "--json").stdout)["web_socket"]
    assert listed["id_member"] == "id"
    (tool,) = listed["tools"]
    assert json.loads(tool["request"]) == {"method": "quote"}
    assert "ws://prices.invalid/ws" in antiphon("connections").stdout


def test_what_can_not_be_forwarded_says_why(antiphon: Run) -> None:
    """Nothing, both, and to what is not there."""
    assert antiphon("connections", "forward", "prices").returncode == 2
    assert antiphon("connections", "forward", "prices", "hi", "--path", "/").returncode == 2
    gone = antiphon("connections", "forward", "nobody", "hi")
    assert (gone.returncode, "nobody" in gone.stderr) == (1, True)


def test_what_can_not_be_opened_says_why(antiphon: Run) -> None:
    """What is not there."""
    gone = antiphon("connections", "open", "nobody")
    assert (gone.returncode, "nobody" in gone.stderr) == (1, True)
