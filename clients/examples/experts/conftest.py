pytest_plugins = ["antiphon_client.testing.fixtures"]
