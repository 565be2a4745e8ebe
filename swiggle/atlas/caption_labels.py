"""A label for each feature from the captions of the pictures it fires on. No trait column is read.

Each caption becomes a set of *terms*: words that stand together, with the place they are said of, and every shorter
run inside them ("square red" of the glasses, "square", "red"). A label is the rule about terms that the feature detects
best (`detectors.py`). Precision counts twice as much as recall, for a feature may carry a part of a concept but should
not be named after what it does not mean. Below `min_confidence` the feature is called unexplained. Features that would
have the same label are told apart in its text (`distinguish.py`).

What a feature detects need not be what it changes: many that fire on a print shift the colour of the shirt below it.
A label begins with the place that its feature acts on (`attribution.py`). Where its rule does not speak of that place,
another one is grown from the best term of the place; if that explains too little, the feature is unexplained, for a
label that speaks of something else would mislead whoever turns the feature up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from swiggle.atlas.detectors import CaptionedActivations, Detector, Evidence
from swiggle.atlas.distinguish import alike, more_often, side_of
from swiggle.atlas.label import UNEXPLAINED, Label
from swiggle.atlas.label_text import at_place, text_of
from swiggle.captions.vocabulary import Vocabulary


def label_features(
    splits: Sequence[CaptionedActivations],
    max_activation: np.ndarray,
    footprints: np.ndarray,
    acts_on: Sequence[str | None],
    vocabulary: Vocabulary,
    min_confidence: float,
) -> list[Label]:
    """Label every feature. splits: train, validation and test; `footprints` [features, 32, 32] tell equal labels
    apart; `acts_on`, the place that each feature changes, None where it is not known."""
    labels = [Label(UNEXPLAINED)] * len(max_activation)
    evidence = Evidence.of(splits, max_activation, vocabulary)
    if evidence is None:
        return labels
    found = evidence.detectors(np.flatnonzero(np.diff(evidence.by_feature[0].indptr)).tolist())
    elsewhere = [i for i, detector in found.items() if not evidence.speaks_of(i, detector, acts_on[i])]
    found |= evidence.detectors(elsewhere, acts_on)
    misleading = {i for i in elsewhere if not evidence.speaks_of(i, found[i], acts_on[i])}
    confidence = evidence.confidences(found)
    for i, detector in found.items():
        if confidence[i] < min_confidence or i in misleading:
            labels[i] = Label(UNEXPLAINED, confidence=confidence[i])
        else:
            labels[i] = _label(evidence, i, detector, confidence[i], acts_on[i], vocabulary)
    named = {i: detector for i, detector in found.items() if labels[i].text != UNEXPLAINED}
    return _told_apart(labels, named, evidence, footprints, vocabulary)


def _label(
    evidence: Evidence,
    feature: int,
    detector: Detector,
    confidence: float,
    acts_on: str | None,
    vocabulary: Vocabulary,
) -> Label:
    scores = evidence.test_scores(feature, detector)
    first, *_ = groups = [tuple(evidence.terms[number] for number in group) for group in detector.rule.groups]
    groups.sort(key=lambda group: group[0].place != acts_on)
    return Label(
        text_of(groups, vocabulary),
        " ".join(word for mention in first for word in mention.words),
        first[0].place,
        confidence,
        scores.precision,
        scores.recall,
        scores.f1,
        detector.threshold,
        "caption",
        tuple(groups),
    )


def _told_apart(
    labels: list[Label],
    named: Mapping[int, Detector],
    evidence: Evidence,
    footprints: np.ndarray,
    vocabulary: Vocabulary,
) -> list[Label]:
    """The labels, with what tells features apart that have the same text."""
    result = list(labels)
    for group in alike({i: labels[i].text for i in named}):
        for i in group:
            holds = named[i].rule.holds(evidence.captions.by_term)
            term = more_often(evidence.captions, evidence.terms, holds, evidence.fires(0, i, named[i].threshold))
            if term:
                extra = f"more with {at_place(' '.join(term.words), term.place, vocabulary)}"
            else:
                extra = side_of(footprints[i], footprints[[j for j in group if j != i]].mean(axis=0))
            result[i] = replace(labels[i], text=f"{labels[i].text}, {extra}" if extra else labels[i].text)
    return result
