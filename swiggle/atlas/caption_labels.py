"""A label for each feature from the captions of the pictures it fires on. No trait column is read.

Each caption becomes a set of *terms*: words that stand together, with the place they are said of, and every shorter
run inside them ("square red" of the glasses, "square", "red"). A feature begins with the term it detects best: of
all terms and some thresholds, the one with the highest F-score of "the feature fires above the threshold" against
"the caption holds the term" on the training captions. Precision counts twice as much as recall, for a feature may
carry a part of a concept but should not be named after what it does not mean. From it a rule is grown (`rules.py`), of
which so much is kept as helps on the validation captions too. The F-score there is the label's *confidence*; below
`min_confidence` the feature is called unexplained. What the label then detects is measured on test captions, which no
choice has seen. Features that would have the same label are told apart in its text (`distinguish.py`).

What a feature detects need not be what it changes: many that fire on a print shift the colour of the shirt below it.
A label begins with the place that its feature acts on (`attribution.py`). Where its rule does not speak of that place,
another one is grown from the best term of the place; if that explains too little, the feature is unexplained, for a
label that speaks of something else would mislead whoever turns the feature up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import sparse

from swiggle.atlas.distinguish import alike, more_often, side_of
from swiggle.atlas.label_text import at_place, text_of
from swiggle.atlas.rules import GAIN, Captions, Rule, detection, f_score
from swiggle.blocks import blocks
from swiggle.captions.terms import incidence, runs_of, terms_of
from swiggle.captions.vocabulary import Mention, Vocabulary

UNEXPLAINED = "unexplained"
THRESHOLDS = (0.0, 0.1, 0.25, 0.4, 0.5, 0.65)
"""Shares of a feature's largest activation above which it counts as firing."""
BETA = 0.5
_TIE = 0.01
_MIN_FIRINGS = 5


@dataclass(frozen=True)
class Label:
    """`text` for people; `term`, the words it is found by, and the `place` they are said of; `confidence`, its F-score
    on validation captions; `precision`, `recall` and `f1` on test captions, firing above `threshold`, a share of the
    feature's largest activation; `source`, who gave it. `rule`, what a caption must say for it to hold, one term of
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


class Found(NamedTuple):
    """A feature's `rule`, its F-score on validation captions, and the share of the largest activation above which the
    feature counts as firing."""

    rule: Rule
    confidence: float
    threshold: float


@dataclass(frozen=True)
class Captioned:
    """Pictures of a split: `values` CSR [N, features] and N captions."""

    values: sparse.csr_matrix
    captions: Sequence[str | None]


def label_features(
    splits: Sequence[Captioned],
    max_activation: np.ndarray,
    footprints: np.ndarray,
    acts_on: Sequence[str | None],
    vocabulary: Vocabulary,
    min_confidence: float,
) -> list[Label]:
    """Label every feature. splits: train, validation and test; `footprints` [features, 32, 32] tell equal labels
    apart; `acts_on`, the place that each feature changes, None where it is not known."""
    train, validation, test = splits
    features = train.values.shape[1]
    mentioned = [vocabulary.mentions(caption or "") for caption in train.captions]
    train_terms = [runs_of(mentions) for mentions in mentioned]
    terms = sorted(set().union(*train_terms), key=lambda t: (t.words, t.place or ""))
    if not terms:
        return [Label(UNEXPLAINED)] * features
    column = {term: number for number, term in enumerate(terms)}
    whole = {mention for mentions in mentioned for mention in mentions}
    captions = Captions(terms, np.array([term in whole for term in terms]), incidence(train_terms, column))
    held_out = [
        incidence([terms_of(caption, vocabulary) for caption in split.captions], column).tocsc()
        for split in (validation, test)
    ]
    by_feature = [split.values.tocsc() for split in (train, validation, test)]

    def found_from(i: int, start: int, threshold: float) -> Found:
        """The rule that grows from a term, so much of it as validation captions confirm."""
        level = threshold * max_activation[i]
        rule = captions.grow(start, _fires(by_feature[0], i, level), BETA)
        return Found(*_confirmed(rule, held_out[0], _fires(by_feature[1], i, level)), threshold)

    def of_its_place(i: int) -> bool:
        """Whether the rule found says something of the place that a feature acts on, and detects less without it."""
        rule = found[i].rule
        places = [terms[group[0]].place for group in rule.groups]
        if acts_on[i] is None or None in places:
            return True
        if acts_on[i] not in places:
            return False
        rest = Rule(tuple(group for group in rule.groups if terms[group[0]].place != acts_on[i]))
        fired = _fires(by_feature[1], i, found[i].threshold * max_activation[i])
        return detection(fired, rest.holds(held_out[0]), BETA).f <= found[i].confidence - GAIN

    firing_ones = np.flatnonzero(np.diff(by_feature[0].indptr) >= _MIN_FIRINGS)
    found = {
        i: found_from(i, start, threshold)
        for i, start, threshold in _starts(by_feature[0], captions, max_activation, firing_ones)
    }
    elsewhere = np.array([i for i in found if not of_its_place(i)], int)
    found |= {
        i: found_from(i, start, threshold)
        for i, start, threshold in _starts(by_feature[0], captions, max_activation, elsewhere, acts_on)
    }
    misleading = {i for i in elsewhere.tolist() if not of_its_place(i)}
    labels = [Label(UNEXPLAINED)] * features
    rules: dict[int, Rule] = {}
    for i, (rule, confidence, threshold) in found.items():
        if confidence < min_confidence or i in misleading:
            labels[i] = Label(UNEXPLAINED, confidence=confidence)
            continue
        rules[i] = rule
        scores = detection(_fires(by_feature[2], i, threshold * max_activation[i]), rule.holds(held_out[1]), BETA)
        first = [terms[number] for number in rule.groups[0]]
        groups = [tuple(terms[number] for number in group) for group in rule.groups]
        groups.sort(key=lambda group: group[0].place != acts_on[i])
        labels[i] = Label(
            text_of(groups, vocabulary),
            " ".join(word for mention in first for word in mention.words),
            first[0].place,
            confidence,
            scores.precision,
            scores.recall,
            scores.f1,
            threshold,
            "caption",
            tuple(groups),
        )
    for group in alike({i: labels[i].text for i in rules}):
        others = {i: footprints[[j for j in group if j != i]].mean(axis=0) for i in group}
        for i in group:
            fired = _fires(by_feature[0], i, found[i].threshold * max_activation[i])
            term = more_often(captions, terms, rules[i].holds(captions.by_term), fired)
            extra = (
                f"more with {at_place(' '.join(term.words), term.place, vocabulary)}"
                if term
                else side_of(footprints[i], others[i])
            )
            labels[i] = replace(labels[i], text=f"{labels[i].text}, {extra}" if extra else labels[i].text)
    return labels


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
        # Of terms that say nearly the same, the one with more words says it more exactly.
        top = np.max(score, axis=1)
        near = allowed & (score >= top[:, None] - _TIE)
        pick = np.where(near, captions.lengths[None, :] + score, -1.0).argmax(axis=1)
        better = top > best + _TIE
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


def _fires(values: sparse.csc_matrix, feature: int, level: float) -> np.ndarray:
    """On which pictures a feature is above a level, bool [N]."""
    column = slice(values.indptr[feature], values.indptr[feature + 1])
    fired = np.zeros(values.shape[0], bool)
    fired[values.indices[column]] = values.data[column] > level
    return fired
