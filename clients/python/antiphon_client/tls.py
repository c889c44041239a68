"""TLS: whom a client trusts, and what is wrong when it does not."""

from dataclasses import dataclass, field

import grpc


@dataclass(frozen=True, slots=True)
class Tls:
    """How a connection is secured; all in PEM.

    ``authorities`` are trusted instead of the public ones; a server's own certificate is one,
    too. ``certificate`` and ``key`` are the client's, for servers that ask for one.
    ``server_name`` is what the server's certificate must be for, by default the address's host.
    """

    authorities: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    server_name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """The same for gRPC."""
        return grpc.ssl_channel_credentials(self.authorities, self.key, self.certificate)

    def options(self) -> list[tuple[str, str]]:
        """The channel's options that go with it."""
        return [("grpc.ssl_target_name_override", self.server_name)] if self.server_name else []


# What gRPC's core says (in the words of BoringSSL) -> what it means.
MEANINGS = {
    "certificate has expired": "the server's certificate has expired",
    "certificate is not yet valid": "the server's certificate is not valid yet",
    "CERTIFICATE_VERIFY_FAILED": "the server's certificate is of no authority that is trusted here",
    "Hostname Verification Check failed": "the server's certificate is for another name",
    "WRONG_VERSION_NUMBER": "the server's port does not speak TLS",
}


def untrusted(message: str) -> str | None:
    """Why no secure connection came about, from a failed call's message; None if it is not that."""
    return next((meaning for words, meaning in MEANINGS.items() if words in message), None)
