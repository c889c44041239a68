"""The finders that Antiphon has, by what they are for. All but repetition can mask streams."""

from collections.abc import Sequence

from antiphon_server.filters.finding.addresses import Addresses
from antiphon_server.filters.finding.blocks import PrivateKeys
from antiphon_server.filters.finding.cards import Cards
from antiphon_server.filters.finding.emails import Emails
from antiphon_server.filters.finding.ibans import Ibans
from antiphon_server.filters.finding.looking import Looking
from antiphon_server.filters.finding.model import Bounded
from antiphon_server.filters.finding.payloads import Payloads
from antiphon_server.filters.finding.phones import Phones
from antiphon_server.filters.finding.secrets import LABELLED, TOKENS
from antiphon_server.filters.finding.tokens import Tokens


def secrets() -> Sequence[Bounded]:
    """Keys, tokens and passwords."""
    keys = PrivateKeys()
    return [
        Looking(keys, keys.spare),
        Looking(Tokens(TOKENS)),
        Looking(Tokens(LABELLED, any_case=True)),
    ]


def personal_data(
    regions: Sequence[str] = (), private_addresses: bool = False
) -> Sequence[Bounded]:
    """Cards, accounts, e-mail, phones and addresses on the Internet.

    Phones have a country's code, or are dialled as in one of ``regions`` (`DE`).
    """
    return [
        Looking(Cards()),
        Looking(Ibans()),
        Looking(Emails()),
        Looking(Phones(regions)),
        Looking(Addresses(private_addresses)),
    ]


def payloads() -> Sequence[Bounded]:
    """Active markup, terminal sequences, controls, and what turns or hides text."""
    return [Payloads()]
