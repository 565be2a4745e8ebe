"""The base of every exception that a user can act on.

A command shortens these, and nothing else, to one line: anything else is a fault of the program and keeps its
traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class SwiggleError(Exception):
    """An expected failure. The message names the file, field or picture at fault and says what would work."""


class ConfigError(SwiggleError, ValueError):
    """A configuration that cannot be used; the message names the key or file at fault."""


@contextmanager
def about(what: str) -> Iterator[None]:
    """Name the picture, file or feature that a block is about in whatever exception leaves it."""
    try:
        yield
    except Exception as error:
        error.add_note(f"about {what}")
        raise
