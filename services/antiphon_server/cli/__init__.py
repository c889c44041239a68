"""The command line. It speaks to servers through antiphon_client alone."""
