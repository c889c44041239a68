"""Who isn't looking is told when turns end or wait: a room of the dispatcher's service."""
