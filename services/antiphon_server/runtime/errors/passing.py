"""What passes by itself: what was refused for these may be taken when it is asked for again."""

from antiphon_server.runtime.errors import Reason

PASSING = frozenset(
    {
        Reason.STORE_UNAVAILABLE,  # the database is away
        Reason.SERVICE_UNAVAILABLE,  # a part of the installation is
        Reason.POLICY_UNAVAILABLE,  # who may can't be asked
        Reason.OVERLOADED,  # others go first
        Reason.DEADLINE_EXCEEDED,  # it may have been done: who asks again has to be answered so
        Reason.DRAINING,  # the server that was asked stops; another one will answer
        Reason.INTERNAL,  # a mistake of ours, which says nothing about what was asked for
    }
)
