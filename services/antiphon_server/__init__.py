"""The servers of Antiphon."""
