"""What a feature detects: the rule about captions that its firing tells best, and how well it does.

A *detector* is a feature that fires above a threshold, read as saying that the caption fits a rule. Its search begins
with the single term that the feature detects best on the training captions: of all terms and some thresholds, the one
with the highest F-score. From it a rule is grown (`rules.py`), of which so much is kept as helps on the validation
captions too.

A detector's confidence is the F1 to be expected on captions that it has not seen. That of a few validation captions is
chance, and detectors with luck there are kept, so it is drawn towards what a detector as good on training captions has
on validation captions in the mean (empirical Bayes; Efron and Morris 1975).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from swiggle.atlas.rules import GAIN, Captions, Rule, Scores, detection, f_score
from swiggle.blocks import blocks
from swiggle.captions.terms import frequent_terms, incidence, least_held, mentioned_by
from swiggle.captions.vocabulary import Mention, Vocabulary

THRESHOLDS = (0.0, 0.1, 0.25, 0.4, 0.5, 0.65)
"""Shares of a feature's largest activation above which it counts as firing. With zero alone a fiftieth of the edits
fail, and labels have a mean F1 of 0.72 instead of 0.76."""
BETA = 0.5
"""Of the F-score: precision counts twice as much as recall. With 1 features are named after what they do not mean, and
a sixth of the edits fail."""


@dataclass(frozen=True)
class CaptionedActivations:
    """Pictures of a split: `values` CSR [N, features] and N captions."""

    values: sparse.csr_matrix
    captions: Sequence[str | None]


_PRIOR = 10.0
"""Captions that what detectors have in the mean counts as much as. With 3 the mean confidence of labels of emoji
lies 0.07 above their mean F1, with 10 at it, with 20 0.02 below."""


class Detector(NamedTuple):
    """Of a feature: the `rule`, its F-score `f` on validation captions, and the share of the largest activation above
    which the feature counts as firing."""

    rule: Rule
    f: float
    threshold: float


@dataclass(frozen=True)
class Evidence:
    """Captions and activations of training, validation and test pictures, for finding detectors. `terms` of the
    training captions; `captions`, which of these holds which; `held_out`, the same of validation and test captions,
    CSC [N, terms]; `by_feature`, activations of each split, CSC [N, features]; `highest` [features], the largest."""

    terms: Sequence[Mention]
    captions: Captions
    held_out: Sequence[sparse.csc_matrix]
    by_feature: Sequence[sparse.csc_matrix]
    highest: np.ndarray

    @classmethod
    def of(
        cls, splits: Sequence[CaptionedActivations], highest: np.ndarray, vocabulary: Vocabulary
    ) -> "Evidence | None":
        """Of train, validation and test; None if no term is held by enough training captions."""
        train, *held_out = splits
        mentioned = mentioned_by(train.captions, vocabulary)
        terms = frequent_terms(mentioned, least_held(len(mentioned)))
        if not terms:
            return None
        whole = {mention for mentions in mentioned for mention in mentions}
        captions = Captions(terms, np.array([term in whole for term in terms]), incidence(mentioned, terms))
        others = [incidence(mentioned_by(split.captions, vocabulary), terms).tocsc() for split in held_out]
        return cls(terms, captions, others, [split.values.tocsc() for split in splits], highest)

    def detectors(self, features: Sequence[int], places: Sequence[str | None] | None = None) -> dict[int, Detector]:
        """A detector for each of some features; with `places`, of all features, one that begins with a term said of the
        feature's place."""
        found = {}
        for i, start, threshold in _starts(
            self.by_feature[0], self.captions, self.highest, np.array(features, int), places
        ):
            rule = self.captions.grow(start, self.fires(0, i, threshold), BETA)
            kept, f = _confirmed(rule, self.held_out[0], self.fires(1, i, threshold))
            found[i] = Detector(kept, f, threshold)
        return found

    def confidences(self, detectors: Mapping[int, Detector]) -> dict[int, float]:
        """The F1 to be expected of each detector on captions that it has not seen; all at once, for what they have in
        the mean counts too."""
        said = (self.captions.by_term, self.held_out[0])
        f1, support = np.zeros((2, len(detectors))), np.zeros(len(detectors))
        for row, (i, detector) in enumerate(detectors.items()):
            for split in (0, 1):
                fired, held = self.fires(split, i, detector.threshold), detector.rule.holds(said[split])
                f1[split, row] = detection(fired, held, 1.0).f1
                support[row] = (fired.sum() + held.sum()) / 2
        carried = f1[1].sum() / max(f1[0].sum(), 1e-12)
        expected = (support * f1[1] + _PRIOR * np.minimum(carried * f1[0], 1.0)) / (support + _PRIOR)
        # Without a validation caption that could tell, nothing is expected.
        return dict(zip(detectors, np.where(support > 0, expected, 0.0).tolist(), strict=True))

    def speaks_of(self, feature: int, detector: Detector, place: str | None) -> bool:
        """Whether the rule says something of a place, and detects less without it. True where no place is known."""
        groups = detector.rule.groups
        places = [self.terms[group[0]].place for group in groups]
        if place is None or None in places:
            return True
        if place not in places:
            return False
        rest = Rule(tuple(group for group in groups if self.terms[group[0]].place != place))
        fired = self.fires(1, feature, detector.threshold)
        return detection(fired, rest.holds(self.held_out[0]), BETA).f <= detector.f - GAIN

    def test_scores(self, feature: int, detector: Detector) -> Scores:
        """On test captions, which no choice has seen."""
        return detection(self.fires(2, feature, detector.threshold), detector.rule.holds(self.held_out[1]), BETA)

    def fires(self, split: int, feature: int, threshold: float) -> np.ndarray:
        """On which pictures of a split a feature is above a share of its largest activation, bool [N]."""
        return _above(self.by_feature[split], feature, threshold * self.highest[feature])


def _starts(
    values: sparse.csc_matrix,
    captions: Captions,
    highest: np.ndarray,
    features: np.ndarray,
    acts_on: Sequence[str | None] | None = None,
) -> list[tuple[int, int, float]]:
    """For each of some features, int [n], the term that it detects best on the training captions, with `acts_on` of
    those said of the place it acts on: feature, term, and the threshold, a share of `highest` [all features]."""
    found: list[tuple[int, int, float]] = []
    for some in blocks(len(features), len(captions.places)):
        part = features[some]
        allowed = np.ones((len(part), len(captions.places)), bool)
        if acts_on is not None:
            allowed = np.stack([captions.places == (acts_on[i] or "") for i in part])
        found += _best_terms(values[:, part].tocsr(), captions, highest[part], part, allowed)
    return found


def _best_terms(
    own: sparse.csr_matrix, captions: Captions, highest: np.ndarray, features: np.ndarray, allowed: np.ndarray
) -> list[tuple[int, int, float]]:
    """As `_starts` says, for features with activations `own`, each of terms that are `allowed`, bool [n, terms]."""
    best, threshold = np.zeros(len(features)), np.zeros(len(features))
    chosen = allowed.argmax(axis=1)
    for share in THRESHOLDS:
        fired = firing(own, share * highest)
        count = np.asarray(fired.sum(axis=0)).ravel()[:, None]
        score = f_score((fired.T @ captions.by_caption).toarray(), count, captions.counts[None, :], BETA)
        score = np.where(allowed, score, 0.0)
        # Of terms that are detected equally well, the one with more words says it more exactly.
        top = np.max(score, axis=1)
        near = allowed & (score >= top[:, None])
        pick = np.where(near, captions.lengths[None, :] + score, -1.0).argmax(axis=1)
        better = top > best
        best, threshold = np.where(better, top, best), np.where(better, share, threshold)
        chosen = np.where(better, pick, chosen)
    return [(int(i), int(term), float(share)) for i, term, share in zip(features, chosen, threshold, strict=True)]


def _confirmed(rule: Rule, said: sparse.csc_matrix, fired: np.ndarray) -> tuple[Rule, float]:
    """So much of a rule as each step of it helps on other captions, and its F-score there."""
    kept, best = rule, -1.0
    for step in rule.steps():
        score = detection(fired, step.holds(said), BETA).f
        if score < best + (GAIN if best >= 0 else 0.0):
            break
        kept, best = step, score
    return kept, best


def firing(values: sparse.csr_matrix, levels: np.ndarray) -> sparse.csr_matrix:
    """Ones where an activation is above its feature's level [features]."""
    fired = values.copy()
    fired.data = (values.data > levels[values.indices]).astype(np.float32)
    return fired


def _above(values: sparse.csc_matrix, feature: int, level: float) -> np.ndarray:
    """On which pictures a feature is above a level, bool [N]."""
    column = slice(values.indptr[feature], values.indptr[feature + 1])
    fired = np.zeros(values.shape[0], bool)
    fired[values.indices[column]] = values.data[column] > level
    return fired
