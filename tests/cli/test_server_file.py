"""How other commands on this machine find a server."""

from pathlib import Path

from antiphon_server.cli.server_file import ServerFile, told_in


def test_what_another_server_wrote_stays(tmp_path: Path) -> None:
    """One that never came to serve takes nothing away, though in containers both have one pid."""
    running, refused = ServerFile(tmp_path), ServerFile(tmp_path)
    running.write({"address": "127.0.0.1:7450"})
    refused.withdraw()
    assert told_in(tmp_path)["address"] == "127.0.0.1:7450"
    running.withdraw()
    assert told_in(tmp_path) == {}
