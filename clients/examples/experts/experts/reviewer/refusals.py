"""Why a diff is not reviewed."""


class Refused(Exception):
    """Its words are for people."""
