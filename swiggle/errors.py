"""The base of every exception that a user can act on.

A command shortens these, and nothing else, to one line: anything else is a fault of the program and keeps its
traceback.
"""

import difflib
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from pydantic import ValidationError


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


def problems(error: ValidationError) -> str:
    """What pydantic found wrong: each field, what it should be, and what it is."""
    told = ((".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, "), e["input"]) for e in error.errors())
    return "; ".join(f"{field}: {message}, not {value!r}" for field, message, value in told)


def did_you_mean(given: str, valid: Collection[str]) -> str:
    """The nearest valid name, to be put behind a message; empty where none is near."""
    leaf = given.rpartition(".")[2]
    found = difflib.get_close_matches(given, valid, n=1, cutoff=0.6)
    found = found or [name for name in valid if name.rpartition(".")[2] == leaf][:1]
    return f" (did you mean {found[0]}?)" if found else ""
