"""What a source was taken for, in a line that a person can check at a glance."""

from collections import Counter
from typing import Any

_ORIGINS = 3
"""Origins of captions that are named; a set of more is a mixture whose first ones tell enough."""


class Understood:
    """Counts what the rows of a source are: sizes, captions, and what these come from."""

    def __init__(self) -> None:
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.said: Counter[int] = Counter()
        self.origins: Counter[str] = Counter()
        self.looks: set[str] = set()
        """Two different captions at most."""

    def add(self, row: dict[str, Any]) -> None:
        """A row of `sources.read_source`."""
        caption = (row["caption"] or "").strip()
        if "size" in row:
            self.sizes[row["size"]] += 1
        self.said[row.get("said", 1) if caption else 0] += 1
        if caption:
            if row.get("origin"):
                self.origins[row["origin"]] += 1
            if len(self.looks) < 2:
                self.looks.add(caption)

    def sentence(self, made: str = "") -> str:
        """Such as "3,786 pictures of 64 x 64, one caption each, from metadata.jsonl". `made`: where pictures come from
        that are not imported."""
        return ", ".join(
            part for part in (f"{self._pictures()} {made}".strip(), self._captions(), self._from()) if part
        )

    def what_works(self) -> str:
        """What can be done with such a set, in a sentence."""
        missing, total = self.said[0], self.said.total()
        if missing == total:
            return (
                "no captions found: the map and the sliders work, but features get no labels and no prompt finds one; "
                "captions can stand in metadata.jsonl, in a .txt beside each picture, in names of folders, or in the "
                "column of a table that data.caption_column names"
            )
        if len(self.looks) == 1 and not missing:
            return "all captions are the same and tell no feature from another: the map and the sliders work alone"
        alike = "labels, edits by prompt, the map and the sliders work"
        if missing:
            return f"{alike}; {missing:,} of {total:,} pictures have no caption and say nothing about features"
        return alike

    def _pictures(self) -> str:
        count = self.said.total()
        noun = f"{count:,} pictures" if count != 1 else "1 picture"
        if not self.sizes:
            return noun
        if len(self.sizes) == 1:
            return f"{noun} of {_size(next(iter(self.sizes)))}"
        ordered = sorted(self.sizes, key=lambda size: (size[0] * size[1], size))
        common = max(ordered, key=self.sizes.__getitem__)
        return f"{noun} of {_size(ordered[0])} to {_size(ordered[-1])}, most often {_size(common)}"

    def _captions(self) -> str:
        numbers = sorted(number for number in self.said if number)
        if not numbers:
            return "no captions"
        each = "one caption" if numbers == [1] else f"{numbers[0]} to {numbers[-1]} captions"
        if len(numbers) == 1 and numbers != [1]:
            each = f"{numbers[0]} captions"
        if missing := self.said[0]:
            return f"{each} for each of {self.said.total() - missing:,} of them"
        return f"{each} each"

    def _from(self) -> str:
        if not self.origins:
            return ""
        if len(self.origins) == 1:
            return f"from {next(iter(self.origins))}"
        named = [f"{origin} ({count:,})" for origin, count in self.origins.most_common(_ORIGINS)]
        return "from " + ", ".join(named) + (" and others" if len(self.origins) > _ORIGINS else "")


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
