"""Labels of a bundle to a file and hand labels back from one, JSON or CSV by its ending.

    python -m jobs.labels export runs/demo labels.csv
    python -m jobs.labels import runs/demo labels.csv

Imported labels are added to those that are there. A running server does not see them before it starts again; to change
labels while it runs, send them to `PUT /v1/labels`.
"""

import argparse
import sys
from pathlib import Path

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.hand_labels import read_hand_labels, write_hand_labels
from swiggle.atlas.label_files import label_rows, read_label_file, write_label_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("export", "import"))
    parser.add_argument("bundle", type=Path)
    parser.add_argument("file", type=Path)
    words = parser.parse_args()
    try:
        atlas = Atlas.load(words.bundle / "atlas")
        by_hand = read_hand_labels(words.bundle)
        if words.action == "export":
            rows = label_rows(atlas, by_hand)
            write_label_file(words.file, rows)
            print(f"{len(rows)} labels written to {words.file}")
        else:
            found = read_label_file(words.file, len(atlas))
            write_hand_labels(words.bundle, {**by_hand, **found})
            print(f"{len(found)} labels by hand taken from {words.file}")
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
