"""Questions as they can be shown: a flat form of fields, or a page; all of it is untrusted."""

import json
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from antiphon_server.integration.tools.questions import Question, QuestionId
from antiphon_server.runtime.encoding.form_texts import FormTexts
from antiphon_server.runtime.encoding.forms import NotShown, shown_form
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.encoding.visible import visible, written

MAX_MESSAGE = 4 * 1024
MAX_URL = 2048


def form(message: str, schema: object) -> Question:
    """A question that is answered by a form. Raises NotShown."""
    return _shown(Question(_new(), _message(message), shown_form(schema, written)))


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
    return _shown(Question(_new(), _message(message), url=url))


def words(question: Question) -> Sequence[tuple[str, int]]:
    """What it says, as it is meant, each with how many bytes may be left of it."""
    it = question.meant or question
    fields = FormTexts(it.schema).texts if it.schema else []
    return [(it.message, MAX_MESSAGE), (it.url, 0), *fields]


def with_words(question: Question, texts: Sequence[str]) -> Question:
    """The question as it can be shown with other words in their order."""
    it, (message, _, *fields) = question.meant or question, texts
    schema = FormTexts(it.schema).with_texts(fields) if it.schema else ""
    return _shown(replace(it, message=message, schema=schema))


def _shown(meant: Question) -> Question:
    """What people see of it: characters that nobody sees are U+FFFD."""
    schema = shown_form(json.loads(meant.schema)) if meant.schema else ""
    shown = replace(meant, message=_message(visible(meant.message)), schema=schema)
    return shown if shown == meant else replace(shown, meant=meant)


def _new() -> QuestionId:
    return QuestionId(new_id("ask"))


def _message(message: str) -> str:
    return written(message).encode()[:MAX_MESSAGE].decode(errors="ignore")
