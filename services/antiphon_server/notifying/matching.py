"""Which webhooks want a notification."""

from antiphon_server.notifying.model import About, Filter, Kind, Note, Webhook


def wants(webhook: Webhook, note: Note) -> bool:
    """Whether it is the webhook's to be told, and not filtered out."""
    about = note.about
    if about is None or webhook.disabled:
        return False
    is_its = webhook.owner in (note.creator, f"workspaces/{about.workspace_id}")
    return is_its and _passes(webhook.wants, about)


def _passes(wanted: Filter, about: About) -> bool:
    ended = about.kind is Kind.TURN_ENDED
    return (
        _holds(wanted.kinds, about.kind)
        and (not ended or _holds(wanted.states, about.state))
        and _holds(wanted.handlers, about.handler)
        and _holds(wanted.workspaces, about.workspace_id)
    )


def _holds(wanted: frozenset[int] | frozenset[str], value: object) -> bool:
    return not wanted or value in wanted
