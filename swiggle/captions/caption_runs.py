"""Captions cut into runs of content words, and what stands before and behind each run."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from swiggle.captions.tokens import tokenise
from swiggle.captions.vocabulary import Words

FREQUENT = 0.02
"""Share of captions that must hold a word for it to name a place, or to be filler beside places. A tenth
and five times as much find the same places and the same filler of Nouns."""
COMMONEST = 0.95
"""Share of one run, of all that stand by a noun, from which they are one expression and not things that take turns."""
SAME_LOOK = 3.0
"""F-ratio of mean pictures up to which two nouns are names of one place: the variance between their mean pictures over
what chance makes it. Names of Nouns' places have 0.9 to 1.4."""
FUNCTION_WORDS = frozenset({
    "a", "an", "the", "this", "that", "these", "those", "it", "its", "he", "his", "she", "her", "they", "their",
    "i", "my", "we", "our", "you", "your", "is", "are", "was", "were", "be", "been", "being", "has", "have", "had",
    "having", "do", "does", "of", "for", "in", "on", "at", "to", "with", "by", "from", "into", "onto", "over",
    "under", "near", "below", "above", "behind", "beside", "between", "and", "or", "but", "as", "than", "then",
    "so", "who", "whose", "whom", "which", "there", "here", "some", "someone", "something", "any", "very", "quite",
    "just", "also", "please", "s",
})  # fmt: skip
"""English words without content. Those of other languages are found by how often they are said."""
BREAKS = frozenset(",;.!?")
LINKS = frozenset(":")


@dataclass(frozen=True)
class Run:
    """Content words that stand together, in caption `row` from `start` to `end`."""

    row: int
    start: int
    end: int


class CutCaptions:
    """Tokens of captions, and which of them hold content."""

    def __init__(self, captions: Sequence[str], pictures: np.ndarray | None) -> None:
        self.pictures = None if pictures is None else pictures.reshape(len(pictures), -1).astype(np.float32)
        self.tokens = [tokenise(caption) for caption in captions]
        self.held = Counter(token for tokens in self.tokens for token in set(tokens) - BREAKS - LINKS)
        least = FREQUENT * len(captions)
        self.frequent = {word for word, count in self.held.items() if count >= least and word not in FUNCTION_WORDS}
        self.nouns = self._nouns()
        self.keys = self._keys()

    def kind(self, token: str) -> str:
        """`break` between phrases, `link` inside one, `head` for nouns and keys, or `content`."""
        if token in BREAKS:
            return "break"
        if token in LINKS or token in FUNCTION_WORDS:
            return "link"
        return "head" if token in self.nouns or token in self.keys else "content"

    def runs(self) -> Iterator[Run]:
        """Every longest run of content words."""
        for row, tokens in enumerate(self.tokens):
            start = 0
            for i in range(len(tokens) + 1):
                if i < len(tokens) and self.kind(tokens[i]) == "content":
                    continue
                if i > start:
                    yield Run(row, start, i)
                start = i + 1

    def words(self, run: Run) -> Words:
        return tuple(self.tokens[run.row][run.start : run.end])

    def behind(self, run: Run) -> tuple[Words, str | None]:
        """The links behind a run and the noun behind these, None if it is not followed by one."""
        tokens, i = self.tokens[run.row], run.end
        while i < len(tokens) and self.kind(tokens[i]) == "link" and tokens[i] not in LINKS:
            i += 1
        noun = tokens[i] if i < len(tokens) and self.kind(tokens[i]) == "head" else None
        return tuple(tokens[run.end : i]), noun

    def before(self, run: Run) -> tuple[str | None, Words]:
        """The frequent word before a run, None for none, and the links between."""
        tokens, i = self.tokens[run.row], run.start
        while i > 0 and self.kind(tokens[i - 1]) == "link":
            i -= 1
        word = tokens[i - 1] if i > 0 and tokens[i - 1] in self.frequent else None
        return word, tuple(token for token in tokens[i : run.start] if token not in LINKS)

    def key(self, run: Run) -> str | None:
        """The word with a colon right before a run, None for none."""
        tokens, i = self.tokens[run.row], run.start - 2
        return tokens[i] if i >= 0 and tokens[i + 1] in LINKS and tokens[i] in self.keys else None

    def same_look(self, one: Sequence[int], other: Sequence[int]) -> bool:
        """Whether the pictures of two sets of captions look alike in the mean. True where there are no pictures."""
        rows = [np.setdiff1d(one, other), np.setdiff1d(other, one)]
        if self.pictures is None or min(map(len, rows)) < 2:
            return True
        parts = [self.pictures[some] for some in rows]
        within = sum(part.var(axis=0, ddof=1) / len(part) for part in parts)
        between = np.square(parts[0].mean(axis=0) - parts[1].mean(axis=0))
        return float(np.sum(between)) <= SAME_LOOK * float(np.sum(within))

    def _keys(self) -> set[str]:
        """Frequent words that mostly stand before a colon."""
        pairs = Counter(one for tokens in self.tokens for one, two in pairwise(tokens) if two in LINKS)
        return {word for word in self.frequent if pairs[word] >= 0.7 * self.held[word]}

    def _nouns(self) -> set[str]:
        """Frequent words that mostly end a phrase, with different words right before them."""
        last: Counter[str] = Counter()
        total: Counter[str] = Counter()
        before: dict[str, Counter[str]] = defaultdict(Counter)
        for tokens in self.tokens:
            for i, token in enumerate(tokens):
                if token not in self.frequent:
                    continue
                total[token] += 1
                follows = tokens[i + 1] if i + 1 < len(tokens) else ","
                last[token] += follows in BREAKS or follows in LINKS or follows in FUNCTION_WORDS
                if i and _is_content(tokens[i - 1]):
                    before[token][tokens[i - 1]] += 1
        return {word for word in self.frequent if last[word] >= 0.7 * total[word] and takes_turns(before[word])}


def takes_turns(said: Counter[str]) -> bool:
    """Whether what stands by a noun differs from caption to caption."""
    return len(said) > 1 and said.most_common(1)[0][1] <= COMMONEST * said.total()


def _is_content(token: str) -> bool:
    return token not in BREAKS and token not in LINKS and token not in FUNCTION_WORDS
