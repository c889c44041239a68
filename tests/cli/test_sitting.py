"""What a sitting makes of what a terminal says."""

from tests.cli.sitting import Running


def test_a_character_may_be_read_in_two_pieces() -> None:
    """A read of a terminal ends anywhere."""
    running = Running(pid=0, master=0, replies={})
    for byte in "· 7 of 9 …\r\n".encode():
        running.take(bytes([byte]))
    assert running.raw == "· 7 of 9 …\r\n"
    assert running.glass.lines[0] == "· 7 of 9 …"
