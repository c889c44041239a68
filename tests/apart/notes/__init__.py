"""A service that lives in the tests: what anybody's sixth one would be, a folder of its own."""
