"""Write the table of objectives in docs/sae.md from what their classes say of themselves.

python -m scripts.objectives_table
"""

import re
from pathlib import Path

from swiggle.config import SAEConfig
from swiggle.sae.objectives import objective_class, objective_names

PAGE = Path(__file__).parent.parent / "docs" / "sae.md"
MARK = "<!-- written by python -m scripts.objectives_table -->\n"
TABLE = re.compile(f"(?<={re.escape(MARK)})(?:\\|.*\n)*")


def table() -> str:
    lines = [
        "| objective | what it minimises beside the squared error | knob | take it when |",
        "| --- | --- | --- | --- |",
    ]
    for name in objective_names():
        about = objective_class(name)
        shown = f"`{name}` (default)" if name == SAEConfig.objective else f"`{name}`"
        lines.append(f"| {shown} | {about.minimises} | `{about.knob}` | {about.fits_when} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(TABLE.sub(lambda _: table(), PAGE.read_text()))
