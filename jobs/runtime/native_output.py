"""What native code writes in the command itself: kept in a file, not shown.

Ray's core is C++ and writes its errors to file descriptor 2, whatever Python's `sys.stderr` is: of actors that could
not be started again, of what is lost while a cluster ends. What the command has to say, tracebacks included, goes
through `sys.stderr`. So the two part here: the descriptor leads to a file, `sys.stderr` to where the descriptor led.
"""

import faulthandler
import os
import sys
import warnings
from pathlib import Path
from typing import TextIO

_shown: list[TextIO] = []
"""What took the place of `sys.stderr`, once it has."""


def keep_native_output(file: Path) -> None:
    """From now on, and until the process ends, append to `file` what is written to descriptor 2 by other than
    `sys.stderr`, and Python's warnings, which are for who writes programs. Done again, it leads to the new file. Does
    nothing where something else has taken `sys.stderr`, as notebooks and pytest do.

    A process that C++ ends writes its last words to the file; where Python was is shown.
    """
    if sys.stderr is sys.__stderr__:
        shown = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
        _shown.append(shown)
        sys.stderr = shown
        faulthandler.enable(shown, all_threads=False)
        warnings.showwarning = _keep
    elif sys.stderr not in _shown:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as kept:
        os.dup2(kept.fileno(), 2)


def _keep(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    written = warnings.formatwarning(message, category, filename, lineno, line)
    if file is None:
        os.write(2, written.encode(errors="backslashreplace"))
    else:
        file.write(written)
