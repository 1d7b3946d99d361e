"""The one exception of scripts/interop.py; imports nothing, so that it exists before any package is installed."""


class Failure(Exception):
    """Something that one of the programs should have done and did not; the message says what."""
