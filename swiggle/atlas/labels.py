"""A label for each feature from the captions of the pictures it fires on. No trait column is read.

Each caption becomes a set of *terms*: words that stand together, with the place they are said of, and every shorter
run inside them ("square red" of the glasses, "square", "red"). A feature begins with the term it detects best: of
all terms and some thresholds, the one with the highest F-score of "the feature fires above the threshold" against
"the caption holds the term" on the training captions. Precision counts twice as much as recall, for a feature may
carry a part of a concept but should not be named after what it does not mean. From it a rule is grown (`rules.py`), of
which so much is kept as helps on the validation captions too. The F-score there is the label's *confidence*; below
`min_confidence` the feature is called unexplained. What the label then detects is measured on test captions, which no
choice has seen. Features that would have the same label are told apart in its text (`distinguish.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from swiggle.atlas.distinguish import alike, more_often, side_of
from swiggle.atlas.rules import GAIN, Captions, Rule, detection, f_score
from swiggle.vocabulary import Mention, Vocabulary

UNEXPLAINED = "unexplained"
THRESHOLDS = (0.0, 0.1, 0.25, 0.4, 0.5, 0.65)
"""Shares of a feature's largest activation above which it counts as firing."""
BETA = 0.5
NAMED = 3
"""Terms of a group that the text names; the others are counted."""
_TIE = 0.01
_MIN_FIRINGS = 5


@dataclass(frozen=True)
class Label:
    """`text` for people; `term`, the words it is found by, and the `place` they are said of; `confidence`, its F-score
    on validation captions; `precision`, `recall` and `f1` on test captions, firing above `threshold`, a share of the
    feature's largest activation; `source`, who gave it. `rule`, what a caption must
    say for it to hold, one term of each group; the first group is what the label is of."""

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


@dataclass(frozen=True)
class Captioned:
    """Pictures of a split: `values` CSR [N, features] and N captions."""

    values: sparse.csr_matrix
    captions: Sequence[str | None]


def terms_of(caption: str | None, vocabulary: Vocabulary) -> set[Mention]:
    """All terms of a caption."""
    return runs_of(vocabulary.mentions(caption or ""))


def runs_of(mentions: Iterable[Mention]) -> set[Mention]:
    """What is mentioned, and every shorter run of its words."""
    found: set[Mention] = set()
    for mention in mentions:
        words = mention.words
        for start in range(len(words)):
            found.update(Mention(mention.place, words[start:end]) for end in range(start + 1, len(words) + 1))
    return found


def label_features(
    splits: Sequence[Captioned],
    max_activation: np.ndarray,
    footprints: np.ndarray,
    vocabulary: Vocabulary,
    min_confidence: float,
) -> list[Label]:
    """Label every feature. splits: train, validation and test; `footprints` [features, 32, 32] tell equal labels
    apart."""
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
    start, threshold = _starts(train.values, captions, max_activation)
    by_feature = [split.values.tocsc() for split in (train, validation, test)]
    labels: list[Label] = []
    rules: dict[int, Rule] = {}
    for i in range(features):
        if by_feature[0].indptr[i + 1] - by_feature[0].indptr[i] < _MIN_FIRINGS:
            labels.append(Label(UNEXPLAINED))
            continue
        rule = captions.grow(start[i], _fires(by_feature[0], i, threshold[i] * max_activation[i]), BETA)
        level = threshold[i] * max_activation[i]
        rule, confidence = _confirmed(rule, held_out[0], _fires(by_feature[1], i, level))
        if confidence < min_confidence:
            labels.append(Label(UNEXPLAINED, confidence=confidence))
            continue
        rules[i] = rule
        scores = detection(_fires(by_feature[2], i, level), rule.holds(held_out[1]), BETA)
        first = [terms[number] for number in rule.groups[0]]
        labels.append(
            Label(
                text_of(rule, terms, vocabulary),
                " ".join(word for mention in first for word in mention.words),
                first[0].place,
                confidence,
                scores.precision,
                scores.recall,
                scores.f1,
                float(threshold[i]),
                "caption",
                tuple(tuple(terms[number] for number in group) for group in rule.groups),
            )
        )
    for group in alike({i: labels[i].text for i in rules}):
        others = {i: footprints[[j for j in group if j != i]].mean(axis=0) for i in group}
        for i in group:
            fired = _fires(by_feature[0], i, threshold[i] * max_activation[i])
            term = more_often(captions, terms, rules[i].holds(captions.by_term), fired)
            extra = f"more with {_said(term, vocabulary)}" if term else side_of(footprints[i], others[i])
            labels[i] = replace(labels[i], text=f"{labels[i].text}, {extra}" if extra else labels[i].text)
    return labels


def _said(term: Mention, vocabulary: Vocabulary) -> str:
    words = " ".join(term.words)
    return f"{words} {vocabulary.place_name(term.place)}" if term.place else words


def text_of(rule: Rule, terms: Sequence[Mention], vocabulary: Vocabulary) -> str:
    """`shark or whale head with red, rust or 4 other body`."""
    parts = []
    for group in rule.groups:
        names = [" ".join(terms[number].words) for number in group[:NAMED]]
        if len(group) > NAMED:
            names.append(f"{len(group) - NAMED} other")
        place = terms[group[0]].place
        named = " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        parts.append(f"{named} {vocabulary.place_name(place)}" if place else named)
    return " with ".join(parts)


def _starts(values: sparse.csr_matrix, captions: Captions, highest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each feature the term it detects best on the training captions, and the threshold, a share of `highest`."""
    features = values.shape[1]
    best, threshold = np.zeros(features), np.zeros(features)
    chosen = np.zeros(features, dtype=int)
    for share in THRESHOLDS:
        fired = firing(values, share * highest)
        count = np.asarray(fired.sum(axis=0)).ravel()[:, None]
        score = f_score((fired.T @ captions.by_caption).toarray(), count, captions.counts[None, :], BETA)
        # Of terms that say nearly the same, the one with more words says it more exactly.
        top = np.max(score, axis=1)
        near = score >= top[:, None] - _TIE
        pick = np.where(near, captions.lengths[None, :] + score, -1.0).argmax(axis=1)
        better = top > best + _TIE
        best, threshold = np.where(better, top, best), np.where(better, share, threshold)
        chosen = np.where(better, pick, chosen)
    return chosen, threshold


def _confirmed(rule: Rule, said: sparse.csc_matrix, fired: np.ndarray) -> tuple[Rule, float]:
    """So much of a rule as each step of it helps on other captions, and its F-score there."""
    kept, best = rule, -1.0
    for step in rule.steps():
        score = detection(fired, step.holds(said), BETA).f
        if score < best + (GAIN if best >= 0 else 0.0):
            break
        kept, best = step, score
    return kept, best


def incidence(found: Sequence[set[Mention]], column: dict[Mention, int]) -> sparse.csr_matrix:
    """Which caption holds which term, CSR of ones [captions, terms]; terms outside `column` are left out."""
    pairs = [(row, column[term]) for row, terms in enumerate(found) for term in terms if term in column]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(found), len(column)))


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
