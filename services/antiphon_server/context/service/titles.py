"""Conversations found by what their titles have in them."""

from itertools import chain

from antiphon_server.context.model.listed import Listed, folded
from antiphon_server.context.model.resources import Conversation, Position
from antiphon_server.context.ports import Records
from antiphon_server.context.service.pages import Page, page_of, token_after

MOST_TITLES = 2000
"""So many are looked through for a page: databases fold letters each in its own way, or not."""


def search(
    records: Records,
    those: Listed,
    listed: str,
    title_contains: str,
    after: Position | None,
    limit: int,
) -> Page[Conversation]:
    """A page of ``those`` with that in their titles: short, or empty, where titles were left."""
    titles = records.conversations.titles(those, after, MOST_TITLES + 1)
    wanted, seen = folded(title_contains), titles[:MOST_TITLES]
    fitting = [place for place, title in seen if wanted in folded(title)][: limit + 1]
    found = records.conversations.those([place.item_id for place in fitting])
    page = page_of(listed, found, limit, those.place, size_of)
    if page.next_token or len(titles) <= MOST_TITLES:
        return page
    return Page(page.items, token_after(listed, seen[-1][0]))


def size_of(conversation: Conversation) -> int:
    """What it takes of a page, in bytes: the long ones of its fields."""
    texts = (conversation.instructions, *chain.from_iterable(conversation.labels))
    return sum([len(text.encode()) for text in texts])
