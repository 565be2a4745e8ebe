"""Lines of progress for a person: on a terminal the last one stays below the others and is replaced by the next."""

import re
import shutil
import sys
from threading import Lock

OURS = re.compile(r"\[\d\d:\d\d:\d\d\] (?P<stage>\w+): ")
PASSING = " min left"
"""Ends a line that the next one of its stage takes the place of on a terminal."""


class Screen:
    """Lines for a person: on a terminal the last line of progress stays below the others, anywhere else they follow one
    another."""

    def __init__(self) -> None:
        self._passing = ""
        self._lock = Lock()

    def show(self, line: str) -> None:
        """Show a line at once; workers' lines come from a thread of Ray's."""
        with self._lock:
            if not sys.stdout.isatty():
                print(line, flush=True)
                return
            # A line that wraps could not be wiped out again.
            fitting = line[: shutil.get_terminal_size().columns - 1]
            print("\r\x1b[K" if self._passing else "", end="")
            if line.endswith(PASSING):
                self._passing = fitting
            else:
                print(line)
                if _stage_of(line) != _stage_of(self._passing) or ": done in " in line:
                    self._passing = ""
            print(self._passing, end="", flush=True)


screen = Screen()


def _stage_of(line: str) -> str | None:
    known = OURS.match(line)
    return known["stage"] if known else None
