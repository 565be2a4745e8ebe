"""A feature's label: what it means, how sure that is, and who says so."""

from dataclasses import dataclass

from swiggle.captions.vocabulary import Mention

UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Label:
    """`text` for people; `term`, the words it is found by, and the `place` they are said of; `confidence`, the F1
    expected on captions not seen; `precision`, `recall` and `f1` on test captions, firing above `threshold`, a share of
    the feature's largest activation; `source`, who gave it. `rule`, what a caption must say for it to hold, one term of
    each group; the group of the place that the feature acts on comes first."""

    text: str
    term: str = ""
    place: str | None = None
    confidence: float = 0.0
    precision: float = 0.0
    recall: float = 0.0
    f1: float = 0.0
    threshold: float = 0.0
    source: str = UNEXPLAINED
    rule: tuple[tuple[Mention, ...], ...] = ()

    @property
    def found_by(self) -> tuple[Mention, ...]:
        """The terms that `term` holds the words of: what the feature detects best."""
        return next((group for group in self.rule if group[0].place == self.place), ())
