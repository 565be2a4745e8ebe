"""Write the table of objectives in docs/sae.md from the first line of their files, and from their classes.

python -m scripts.objectives_table
"""

import re
import sys
from pathlib import Path

from swiggle.config import SAEConfig
from swiggle.sae.objective import objective_class
from swiggle.sae.objectives import objective_names

PAGE = Path(__file__).parent.parent / "docs" / "sae.md"
MARK = "<!-- written by python -m scripts.objectives_table -->\n"
TABLE = re.compile(f"(?<={re.escape(MARK)})(?:\\|.*\n)*")


def table() -> str:
    lines = [
        "| objective | what it is | knob | what for |",
        "| --- | --- | --- | --- |",
    ]
    for name in objective_names():
        about = objective_class(name)
        first_line = (sys.modules[about.__module__].__doc__ or "").partition("\n")[0]
        shown = f"`{name}` (default)" if name == SAEConfig.objective else f"`{name}`"
        lines.append(f"| {shown} | {first_line} | `{about.knob}` | {about.__doc__} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(TABLE.sub(lambda _: table(), PAGE.read_text()))
