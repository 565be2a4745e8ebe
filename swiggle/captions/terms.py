"""The terms of a caption: what it mentions, and every shorter run of its words.

"square red glasses" holds `square red`, `square` and `red`, each said of the glasses.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse

from swiggle.captions.vocabulary import Mention, Vocabulary


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


def incidence(found: Sequence[set[Mention]], column: dict[Mention, int]) -> sparse.csr_matrix:
    """Which caption holds which term, CSR of ones [captions, terms]; terms outside `column` are left out."""
    pairs = [(row, column[term]) for row, terms in enumerate(found) for term in terms if term in column]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(found), len(column)))
