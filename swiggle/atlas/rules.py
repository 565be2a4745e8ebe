"""What a caption must say for a label to hold, and how the best such rule for a feature is grown.

A rule is "one of these terms, and with it one of those": (shark or whale, of the head) with (red or rust, of the body).
It begins with the single term that the feature detects best. Alternatives of the same place are added while they help,
for a feature may stand for a family. Then a condition on another place, for it may stand for a part of a thing only: a
print on shirts of some colours. That step contrasts the pictures on which the feature fires with matched others, whose
captions say the same and on which it does not fire.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from swiggle.captions.vocabulary import Mention

ALTERNATIVES = 4
"""Terms that a rule begins with, at most. One or eight change a few labels of families, and no edit surely."""
GAIN = 0.03
"""F-score that a step must add. With a third of it rules speak of places by chance, and a sixth of the edits fail."""


@dataclass(frozen=True)
class Rule:
    """Groups of numbers of terms, each group of one place: a caption must hold one term of each."""

    groups: tuple[tuple[int, ...], ...]

    def holds(self, said: sparse.csc_matrix) -> np.ndarray:
        """For which captions the rule holds, bool [N]. said: which caption holds which term, [N, terms]."""
        found = np.ones(said.shape[0], bool)
        for group in self.groups:
            one = np.zeros(said.shape[0], bool)
            for term in group:
                one[said.indices[said.indptr[term] : said.indptr[term + 1]]] = True
            found &= one
        return found

    def steps(self) -> list["Rule"]:
        """The rules that were grown on the way to this one, itself last."""
        first = self.groups[0]
        grown = [Rule((first[:count],)) for count in range(1, len(first) + 1)]
        return grown + [Rule(self.groups[:count]) for count in range(2, len(self.groups) + 1)]


@dataclass(frozen=True)
class Scores:
    """Of a detector: `f` its F-score with the beta asked for, `f1`, `precision` and `recall`."""

    f: float
    f1: float
    precision: float
    recall: float


def detection(fired: np.ndarray, truth: np.ndarray, beta: float) -> Scores:
    """Scores of bool [N] against bool [N]."""
    hits, count, held = (np.asarray(rows.sum(), dtype=float) for rows in (fired & truth, fired, truth))
    return Scores(
        float(f_score(hits, count, held, beta)),
        float(f_score(hits, count, held, 1.0)),
        float(hits / max(count, 1.0)),
        float(hits / max(held, 1.0)),
    )


def f_score(hits: np.ndarray, fired: np.ndarray, held: np.ndarray, beta: float) -> np.ndarray:
    """(1 + b^2) P R / (b^2 P + R) from counts: right firings, all firings, and captions that hold the rule."""
    return (1 + beta**2) * hits / np.maximum(fired + beta**2 * held, 1.0)


class Captions:
    """Which caption holds which term, for growing rules: `terms`, those that captions say as they stand (`whole`, bool
    [terms]), and a matrix of ones [N, terms]. `places` [terms]: what each is said of, empty for no place."""

    def __init__(self, terms: Sequence[Mention], whole: np.ndarray, said: sparse.csr_matrix) -> None:
        self.whole = whole
        self.by_caption = said
        self.by_term = said.tocsc()
        self.counts = np.asarray(said.sum(axis=0)).ravel()
        self.lengths = np.array([len(term.words) for term in terms])
        self.places = np.array([term.place or "" for term in terms])
        self._exclusive = {place: np.flatnonzero(whole & (self.places == place)) for place in sorted(set(self.places))}
        self._halves = np.arange(said.shape[0]) % 2 == 0

    def of(self, rows: np.ndarray) -> np.ndarray:
        """How many of some captions, bool [N], hold each term: [terms]."""
        held = self.by_caption[np.flatnonzero(rows)].indices
        return np.bincount(held, minlength=len(self.lengths)).astype(np.float32)

    def grow(self, start: int, fired: np.ndarray, beta: float) -> Rule:
        """The best rule for a feature that fires on captions bool [N], from the term it starts with."""
        rule = self._widened(Rule(((start,),)), fired, beta)
        return self._narrowed(rule, fired, beta) or rule

    def _widened(self, rule: Rule, fired: np.ndarray, beta: float) -> Rule:
        """With alternatives of the same place."""
        held = rule.holds(self.by_term)
        best = detection(fired, held, beta).f
        own = self.places == self.places[rule.groups[0][0]]
        while len(rule.groups[0]) < ALTERNATIVES:
            hits = (fired & held).sum() + self.of(fired & ~held)
            score = f_score(hits, fired.sum(), held.sum() + self.counts - self.of(held), beta)
            term = int(np.where(own, score, 0.0).argmax())
            if score[term] < best + GAIN:
                break
            rule, best = Rule(((*rule.groups[0], term),)), float(score[term])
            held = rule.holds(self.by_term)
        return rule

    def _narrowed(self, rule: Rule, fired: np.ndarray, beta: float) -> Rule | None:
        """With a condition on one more place, or None if none helps.

        The things said of a place are put in order by how often the feature fires where the rule holds with them, on
        one half of the captions; how many of them belong to the condition, and which place, is decided on the other.
        """
        held = rule.holds(self.by_term)
        one, other = self._halves, ~self._halves
        hits, total = self.of(fired & held & one), self.of(held & one)
        hits_other, total_other = self.of(fired & held & other), self.of(held & other)
        firings = (fired & other).sum()
        best = f_score((fired & held & other).sum(), firings, (held & other).sum(), beta) + GAIN
        spoken_of = {self.places[group[0]] for group in rule.groups}
        found = None
        for place, terms in self._exclusive.items():
            if place in spoken_of or not len(terms):
                continue
            order = terms[np.argsort(-hits[terms] / (total[terms] + 1.0), kind="stable")]
            score = f_score(np.cumsum(hits_other[order]), firings, np.cumsum(total_other[order]), beta)
            count = int(np.argmax(score)) + 1
            if score[count - 1] >= best:
                best, found = score[count - 1], tuple(order[:count].tolist())
        return Rule((*rule.groups, found)) if found else None
