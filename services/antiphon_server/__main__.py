"""``python -m antiphon_server`` is ``antiphon``."""

from antiphon_server.cli.program import main

if __name__ == "__main__":
    main()
