"""Identifiers that the client chooses."""

import secrets
import uuid


def new_turn_id() -> str:
    """A turn's id: with it a post can be repeated safely, and stopped before it is answered."""
    return f"turn_{secrets.token_hex(13)}"


def new_request_id() -> str:
    """An id by which a repeated change gets the first one's answer."""
    return str(uuid.uuid4())


def new_schedule_id() -> str:
    """A schedule's id: with it making one can be repeated safely."""
    return f"sched_{secrets.token_hex(13)}"


def new_webhook_id() -> str:
    """A webhook's id: with it making one can be repeated safely."""
    return f"wh_{secrets.token_hex(13)}"
