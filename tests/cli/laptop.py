"""``antiphon`` on a machine called laptop, where the default address is that of a test's server."""

import os
import platform
import sys

import antiphon_client
from antiphon_server.cli import where
from antiphon_server.cli.program import main

if __name__ == "__main__":
    platform.node = lambda: "laptop"
    for module in (antiphon_client, where):
        vars(module)["DEFAULT_ADDRESS"] = os.environ["TESTS_DEFAULT_ADDRESS"]
    sys.argv[0] = "antiphon"
    main()
