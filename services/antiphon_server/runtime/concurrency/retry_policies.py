"""How long each part waits for what is away, and why they differ."""

from antiphon_server.runtime.concurrency.retry import RetryPolicy

SOON = RetryPolicy(0.25, factor=1.0)
"""For ever, as often as nobody minds: by what runs beside the calls, and is late at most."""

LATER = RetryPolicy(1.0, factor=1.0)
"""For ever, by what says each time that it failed."""

CONFLICT = RetryPolicy(0.01, tries=8, jitter=(0.0, 1.0))
"""A transaction that another one kept from committing: that one is over in milliseconds, and
those that met are not to meet again."""

TURN = RetryPolicy(0.1, factor=2.7, tries=6)
"""A turn's own writes: 8 s of pauses. A store or a log that is started again is back by then,
and a turn that holds its lane for longer keeps others waiting. Tries are counted, not time: a
call that took its whole deadline is made again, too."""

STARTING = RetryPolicy(0.5, factor=1.0, within_s=30.0)
"""A Postgres that recovers its log before it takes anybody in: as long as an operator looks on."""

LANE = RetryPolicy(0.25, factor=1.0, within_s=25.0)
"""A server that has a conversation and can't be reached: longer than its lease of 15 s, after
which another one has it, and shorter than the 30 s that a client waits."""

ANSWER = RetryPolicy(0.1, longest_s=2.0, within_s=60.0)
"""A service that an answer needs: the person sees that it is waited for, and can cancel."""

SIGN_IN = RetryPolicy(0.25, longest_s=5.0, jitter=(0.5, 1.5))
"""A service that signs in: for ever, for without that it is of no use. All begin together."""

OUTBOX = RetryPolicy(0.2, longest_s=15.0)
"""What others are to be told of: for ever, as it was promised with the commit."""

PROGRAM = RetryPolicy(0.2, longest_s=10.0)
"""A program that ended by itself: for ever, and seldom if it ends again at once."""

DUE_TIME = RetryPolicy(1.0, factor=1.5, longest_s=300.0)
"""A turn that is due, and that something keeps from starting: for ever. Each try is a message to
filters and to detectors, and leaves rows behind; nine of them are made within the minute in which
it isn't missed, then fewer and fewer."""

SCRUB = RetryPolicy(2.0, longest_s=600.0, tries=12)
"""Freeing the room of what was removed: for an hour or so. What is in the way, another one who does
the same or a server that is away, may last minutes; after that Postgres does it by itself."""
