"""Why what is outside can't be reached, in words that say what to do.

The causes are those of ``ConnectionCause`` in ``antiphon/integration/v1/connection.proto``; a test
holds them equal.
"""

from collections.abc import Mapping

CAUSES: Mapping[str, str] = {
    "REFUSED": "nothing listens at its port; does it run, and is the port right?",
    "NAME_NOT_FOUND": "its host's name has no address; is it spelled right?",
    "NO_ROUTE": "no network leads from the server's machine to its address",
    "TIMEOUT": "nothing came in time; are host and port right, and does it run?",
    "CLOSED": "it closed the connection before an answer; does its port want https (wss)?",
    "TLS_FAILED": "encryption did not come about; does its port speak http (ws), without any?",
    "CERTIFICATE_REFUSED": (
        "its certificate is not trusted on the server's machine, is for another name, or is not "
        "valid now"
    ),
    "HTTP_STATUS": "it answered with HTTP status {http_status}; {advice}",
    "NOT_THE_PROTOCOL": (
        "what answers there is not of this kind; are the kind, the path and the port right?"
    ),
    "NOT_SERVING": "it says of itself that it does not serve now",
    "PROGRAM_NOT_FOUND": (
        "the program can't be started; is its command installed on the server's machine, and its "
        "folder there (ANTIPHON_PROGRAMS)?"
    ),
    "PROGRAM_ENDED": "the program ended by itself; run its command by hand to see why",
}
_OF_CALLS = {
    "TOOL_TIMEOUT": "calls of it took longer than they may",
    "TOOL_CALL_LOST": "answers of it were lost on the way",
}
"""Reasons for which it is left alone though it may be reached."""
_REFUSES = ("401", "403", "407")


def cause_in_words(cause: str, http_status: str = "") -> str:
    """What a cause means, and what to do; the cause itself if it is none of these."""
    advice = "is the path right, and is it of this kind?"
    if http_status in _REFUSES:
        advice = "does it take the credential?"
    elif http_status.startswith("5"):
        advice = "its own log says more"
    words = CAUSES.get(cause) or _OF_CALLS.get(cause, cause)
    return words.format(http_status=http_status or "-", advice=advice)
