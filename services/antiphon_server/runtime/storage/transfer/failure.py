"""Why rows could not be taken over; apart from what does it, which needs Postgres' packages."""


class TransferFailed(Exception):
    """The rows can't be taken over; the message says why and what to do."""
