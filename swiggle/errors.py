"""The base of every exception that a user can act on.

A command shortens these, and nothing else, to one line: anything else is a fault of the program and keeps its
traceback.
"""


class SwiggleError(Exception):
    """An expected failure. The message names the file, field or picture at fault and says what would work."""
