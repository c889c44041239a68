"""The README's picture of a chat is of this chat; who changes what it shows draws it anew.

``python -m tests.cli.picture --gguf FILE`` does.
"""

import html
import re

from tests.cli.glass import Glass
from tests.cli.picture.__main__ import COLUMNS, NAME, PICTURE
from tests.cli.picture.painted import PaintedGlass


def words_of(picture: str) -> str:
    """What stands in it, with one blank between words."""
    told = re.sub(r"<style>.*</style>|<[^>]*>", " ", picture, flags=re.DOTALL)
    return " ".join(html.unescape(told).split())


def test_the_picture_shows_what_a_chat_says_now() -> None:
    """How it begins, a call of a tool and what was said of it, and an answer that was stopped."""
    picture = PICTURE.read_text()
    words = words_of(picture)
    for each in (
        "$ antiphon chat --tool antiphon.time Say something. /help lists commands, Ctrl-D leaves.",
        '> What time is it in Tokyo? ⚙ antiphon.time {"zone": "Asia/Tokyo"} → {"zone":',
        f"> What is the capital of France? The capital of France is Paris. {NAME} ·",
        "stopped ·",
    ):
        assert each in words
    assert "url(http" not in picture.replace('"', "")  # nothing is loaded from elsewhere


def test_styles_are_drawn_and_text_is_as_on_any_other_glass() -> None:
    """Bold is bold, dim is dim, until it is over."""
    painted, plain = PaintedGlass(COLUMNS), Glass(COLUMNS)
    for glass in (painted, plain):
        glass.feed("\x1b[0;1m> \x1b[0mHello\r\n\x1b[2mdim\x1b[0m\r\n")
    text = painted.painted()
    assert text.plain.splitlines() == plain.lines
    styled = [(text.plain[it.start : it.end], str(it.style)) for it in text.spans]
    assert styled == [("> ", "bold"), ("dim", "dim")]
