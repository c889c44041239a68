"""Questions as they can be shown: a flat form of fields, or a page; all of it is untrusted."""

from urllib.parse import urlsplit

from antiphon_server.integration.tools.questions import Question, QuestionId
from antiphon_server.runtime.encoding.forms import NotShown, shown_form
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.encoding.visible import visible

MAX_MESSAGE = 4 * 1024
MAX_URL = 2048


def form(message: str, schema: object) -> Question:
    """A question that is answered by a form. Raises NotShown."""
    return Question(_new(), _message(message), shown_form(schema))


def page(message: str, url: str) -> Question:
    """A question for which a page is to be visited. Raises NotShown."""
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and not parts.username and parts.port != 0
        shown = parts.scheme in ("http", "https") and whole
    except ValueError:
        shown = False
    if not shown or len(url) > MAX_URL or not url.isascii() or not url.isprintable():
        raise NotShown("its page is no address of http or https, of at most 2,048 characters")
    return Question(_new(), _message(message), url=url)


def _new() -> QuestionId:
    return QuestionId(new_id("ask"))


def _message(message: str) -> str:
    return visible(message).encode()[:MAX_MESSAGE].decode(errors="ignore")
