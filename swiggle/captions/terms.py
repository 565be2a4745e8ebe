"""The terms of captions: what they mention, and every shorter run of its words.

"square red glasses" holds `square red`, `square` and `red`, each said of the glasses. Free captions mention whole
sentences, so runs are counted up to `LONGEST` words only, and of all of them the terms that enough captions hold are
kept. A run is held by no more captions than its parts are, so longer ones are looked for among those whose parts are
kept (Apriori; Agrawal and Srikant 1994): memory follows the terms that are kept, not the runs that there are.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
from scipy import sparse

from swiggle.captions.vocabulary import Mention, Vocabulary, Words

LONGEST = 4
"""Words of a run that is part of a longer mention, at most. Names of things are rarely longer; a mention as a whole may
be."""
LEAST_HELD = 20
"""Captions that must hold a term. Of 3,786 emoji the F1 on test captions lies off the confidence of a label by 0.40 in
the mean where terms are held by two captions or more, by 0.32 with 10, by 0.21 with 20."""
LEAST_SHARE = 1e-2
"""Of few captions, the share that must hold a term, and two at least: small sets have labels too, less sure ones."""
MOST = 16_384
"""Terms that are kept, at most, those held most often. Labels take time in proportion: each is compared with each
feature."""


def mentioned_by(captions: Iterable[str | None], vocabulary: Vocabulary) -> list[list[Mention]]:
    """What each caption mentions."""
    return [vocabulary.mentions(caption or "") for caption in captions]


def least_held(captions: int) -> int:
    """How many of so many captions must hold a term for it to be kept."""
    return min(LEAST_HELD, max(2, round(LEAST_SHARE * captions)))


def frequent_terms(mentioned: Sequence[Sequence[Mention]], least: int, most: int = MOST) -> list[Mention]:
    """The terms that at least `least` captions hold, `most` at most, those held most often, in the order of their words
    and places."""
    counts: dict[Mention, int] = {}
    known: dict[str | None, set[Words]] = {}
    for length in range(1, LONGEST + 1):
        found: Counter[tuple[str | None, Words]] = Counter()
        for mentions in mentioned:
            found.update({(place, run) for place, run in _runs(mentions, length) if _parts_known(run, place, known)})
        kept = {Mention(place, run): count for (place, run), count in found.items() if count >= least}
        if not kept:
            break
        counts |= kept
        known = {}
        for term in kept:
            known.setdefault(term.place, set()).add(term.words)
    long = Counter(mention for mentions in mentioned for mention in {m for m in mentions if len(m.words) > LONGEST})
    counts |= {mention: count for mention, count in long.items() if count >= least}
    often = sorted(counts, key=lambda term: (-counts[term], term.words, term.place or ""))[:most]
    return sorted(often, key=lambda term: (term.words, term.place or ""))


def classes_of(mentioned: Sequence[Sequence[Mention]], least: int, most: int = MOST) -> list[Mention]:
    """What captions say of pictures as such, each thing at least `least` times: of a place, mentions as they stand,
    which exclude each other; of no place, all terms, `most` at most. In the order of places and words."""
    counts = Counter(mention for mentions in mentioned for mention in set(mentions))
    placed = {mention for mention, count in counts.items() if mention.place is not None and count >= least}
    free = frequent_terms([[m for m in mentions if m.place is None] for mentions in mentioned], least, most)
    return sorted(placed.union(free), key=lambda term: (term.place or "", term.words))


def incidence(
    mentioned: Sequence[Sequence[Mention]], terms: Sequence[Mention], as_said: Collection[Mention] = ()
) -> sparse.csr_matrix:
    """Which caption holds which term, CSR of ones [captions, terms]; what is not among `terms` is left out. Those that
    are `as_said` are held where they are mentioned as they stand: no caption of a square blue holds `blue`."""
    by_place: dict[str | None, dict[Words, int]] = {}
    for number, term in enumerate(terms):
        if term not in as_said:
            by_place.setdefault(term.place, {})[term.words] = number
    exact = {term: number for number, term in enumerate(terms) if term in as_said}
    columns, ends = array("i"), array("q", [0])
    for mentions in mentioned:
        held: set[int] = {exact[mention] for mention in mentions if mention in exact}
        for mention in mentions:
            if (numbers := by_place.get(mention.place)) is not None:
                held.update(numbers[run] for run in _parts(mention.words) if run in numbers)
        columns.extend(sorted(held))
        ends.append(len(columns))
    indices, starts = np.array(columns, np.int32), np.array(ends, np.int64)
    return sparse.csr_matrix((np.ones(len(indices), np.float32), indices, starts), shape=(len(mentioned), len(terms)))


def _runs(mentions: Sequence[Mention], length: int) -> Iterator[tuple[str | None, Words]]:
    for mention in mentions:
        for start in range(len(mention.words) - length + 1):
            yield mention.place, mention.words[start : start + length]


def _parts(words: Words) -> Iterator[Words]:
    """Every run of some words of at most `LONGEST`, and all of them."""
    count = len(words)
    for start in range(count):
        for end in range(start + 1, min(count, start + LONGEST) + 1):
            yield words[start:end]
    if count > LONGEST:
        yield words


def _parts_known(run: Words, place: str | None, known: Mapping[str | None, set[Words]]) -> bool:
    if len(run) == 1:
        return True
    shorter = known.get(place)
    return shorter is not None and run[1:] in shorter and run[:-1] in shorter
