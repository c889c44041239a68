"""Access tokens: signed, verified, and told apart from those of ended sessions."""

from dataclasses import dataclass

from antiphon_server.auth.compose.base import Base
from antiphon_server.auth.ports.messenger import RevocationMessenger
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.following import Following
from antiphon_server.auth.service.key_rotation import KeyRotation
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.auth.service.session_feed import SessionFeed
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.auth.service.single_use import SingleUse
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.auth.service.tokens import AccessTokens
from antiphon_server.auth.service.verifier import StoredSessions, Verifier


@dataclass(frozen=True, slots=True)
class Tokens:
    """The keys, and who signs and verifies with them."""

    settings: TokenSettings
    signing_keys: SigningKeys
    access_tokens: AccessTokens
    liveness: Liveness
    verifier: Verifier
    messenger: RevocationMessenger
    key_rotation: KeyRotation
    following: Following
    feed: SessionFeed
    single_use: SingleUse


def compose_tokens(base: Base, recorder: Recorder) -> Tokens:
    """What signs and verifies; processes tell each other of ends by the messenger."""
    stores, clock, messenger = base.stores, base.clock, base.others.messenger
    settings, key_settings = base.settings.tokens, base.settings.keys
    keys = SigningKeys(
        stores.signing_keys, base.secret, recorder, clock, settings.longest_life, key_settings
    )
    access_tokens = AccessTokens(keys, settings, clock)
    liveness, single_use = Liveness(), SingleUse(stores.attempts, clock)
    return Tokens(
        settings=settings,
        signing_keys=keys,
        access_tokens=access_tokens,
        liveness=liveness,
        verifier=Verifier(access_tokens, keys, StoredSessions(stores.sessions), liveness, clock),
        messenger=messenger,
        key_rotation=KeyRotation(keys, base.completion, messenger),
        following=Following(
            stores.endings, keys, liveness, messenger, clock, settings.longest_life
        ),
        feed=SessionFeed(stores.endings, keys, liveness, clock, settings.longest_life),
        single_use=single_use,
    )
