"""A vocabulary proposed from captions: the places that they speak of, the words for these, and what is filler.

A *place* is something that most captions say one thing of, each its own: "square red glasses", "hip rose specs". Words
that stand before one noun, or after it, take turns there. Nouns whose words are the same are one place, for only its
name differs, unless their pictures differ too: then they are things, as cats and dogs are. So captions are cut into
runs of content words, and each run is given to what claims it:

1. the noun right behind it ("red glasses"); nouns are words with many different runs before them; or the key before it,
   in captions that are lists ("hair: long, eyes: blue");
2. a noun behind small words ("a robot on the shirt"): `on the shirt` is itself a word for the place whose things stand
   there, if that is not the shirt's;
3. what stands before it ("the accessory robot", "printed with a robot", "the shirt is red").

What is left is kept as a place only if most captions speak of it, and if what is said of it excludes each other: one
caption says one thing. Free captions have no such groups, and then no place is proposed. Nothing here knows a data set.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from swiggle.captions.caption_runs import (
    BREAKS,
    COMMONEST,
    FREQUENT,
    FUNCTION_WORDS,
    LINKS,
    CutCaptions,
    Run,
    takes_turns,
)
from swiggle.captions.tokens import tokenise
from swiggle.captions.vocabulary import Vocabulary, Words

ENOUGH = 500
"""Captions from which places are proposed. Of 200 of Nouns, two of its five places are not found, those of hundreds of
things; of 500 all are."""
READ = 20_000
"""Captions that are read, at most. More change no place of Nouns and take longer."""
SPOKEN_OF = 0.6
"""Share of captions that must speak of a place. What a picture shows in a place is read from every picture, so a place
that half of the pictures do not have would be read into them: emoji have a skin tone in half of their names."""
ALIKE = 0.5
"""Share of their words that two nouns must have in common to name one place. Of Nouns, names of one place have
0.88 to 1.00 in common, shirts and glasses, both of colours, 0.23."""
ALSO_ALIKE = 0.15
"""The same for what stands elsewhere beside a word that is known to name a place ("the head is a robot"). With 0.5, of
1,000 captions of Nouns the 234 heads are no place."""
ONE_EACH = 0.9
"""Share of the captions that speak of a place that must say only one thing of it."""
IN_PASSING = 0.2
"""Share of a word's captions up to which it is said of places by chance. With a tenth `noun` is no filler beside
Nouns, where a print is called so too."""
IN_ERROR = 0.02
"""Share of what is said of a place that stands there in error, as a print called "glasses" does beside glasses."""
APART = 0.2
"""Of the times that two words would meet by chance, the share below which they exclude each other."""
EXPECTED = 10.0
"""Times by chance from which that can be told."""

NOTHING = frozenset({"none", "nothing", "no", "without"})


@dataclass
class _Place:
    """`runs`, what is said of it and in which caption; `said`, the words of these, counted; `expressions`, what names
    it and how often."""

    runs: list[tuple[int, Words]] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    expressions: Counter[Words] = field(default_factory=Counter)

    def take(self, runs: Sequence[tuple[int, Words]], expression: Words | None) -> None:
        """Count runs as said of this place, by an expression that names it."""
        self.runs += runs
        for _, words in runs:
            self.said.update(words)
        if expression is not None:
            self.expressions[expression] += len(runs)


def propose(captions: Sequence[str | None], pictures: np.ndarray | None = None) -> Vocabulary:
    """The vocabulary that captions suggest, read from the first `READ` that are not empty. Without places, where fewer
    than `ENOUGH` say something or no place is found. `pictures` [N, ...] of the captions, a few pixels each, tell names
    of one place from different things; without them all are taken for names."""
    rows = [row for row, caption in enumerate(captions) if caption][:READ]
    given = [captions[row] or "" for row in rows]
    read = CutCaptions(given, None if pictures is None else pictures[rows]) if len(given) >= ENOUGH else None
    places = _places(read) if read else []
    if read and places:
        # Other nouns are things that are said of places: "gradient sunset".
        names = {word for place in places for words in place.expressions for word in words}
        read.nouns, read.keys = read.nouns & names, read.keys & names
        places = _places(read)
    said = Counter(token for caption in given for token in set(tokenise(caption)))
    filler = set(FUNCTION_WORDS)  # prompts use those, too, that captions do not
    if read is None or not places:
        filler |= {word for word, count in said.items() if count >= COMMONEST * len(given) >= COMMONEST * ENOUGH}
        return Vocabulary(filler=frozenset(filler - BREAKS - LINKS))
    named = {token for place in places for expression in place.expressions for token in expression}
    # Words of the sentences around things are said often, and nothing else is ever said in their place.
    filler |= {word for word in read.frequent - named if _is_filler(word, places, read.held[word])}
    listed: dict[str, list[str]] = {}
    for place in places:
        often = sorted(place.expressions, key=lambda words: (len(words) > 1, -place.expressions[words], words))
        listed[often[0][0] if len(often[0]) == 1 else " ".join(often[0])] = [" ".join(words) for words in often]
    values = [len(place.said) for place in places]
    default = list(listed)[int(np.argmax(values))]
    nothing = {word for place in places for word in NOTHING if place.said[word] and word not in FUNCTION_WORDS}
    return Vocabulary(listed, default, frozenset(filler), frozenset(nothing))


def _places(read: CutCaptions) -> list[_Place]:
    claimed, left = _by_noun(read)
    places = _joined(claimed, read)
    named = {word: place for place in places for (word, *_) in place.expressions}
    left = _by_expression(left, read, places, named, behind=True)
    _by_expression(left, read, places, named, behind=False)
    return [place for place in places if _is_place(place, len(read.tokens))]


def _by_noun(read: CutCaptions) -> tuple[dict[str, list[tuple[int, Words]]], list[Run]]:
    """The runs right before each noun, and the other runs."""
    claimed: dict[str, list[tuple[int, Words]]] = defaultdict(list)
    left = []
    for run in read.runs():
        links, noun = read.behind(run)
        noun = read.key(run) or (None if links else noun)
        if noun:
            claimed[noun].append((run.row, read.words(run)))
        else:
            left.append(run)
    return claimed, left


def _joined(claimed: Mapping[str, list[tuple[int, Words]]], read: CutCaptions) -> list[_Place]:
    """Nouns, those with more runs first, each to the place that has the same words said of it and the same look, or to
    a new one."""
    places: list[_Place] = []
    for noun, runs in sorted(claimed.items(), key=lambda item: (-len(item[1]), item[0])):
        place = _nearest(_words_of(runs), places)
        if place is None or not read.same_look([row for row, _ in runs], [row for row, _ in place.runs]):
            places.append(place := _Place())
        place.take(runs, (noun,))
    return places


def _by_expression(
    runs: Sequence[Run], read: CutCaptions, places: Sequence[_Place], named: dict[str, _Place], behind: bool
) -> list[Run]:
    """Give runs to what stands behind or before them, where that has the same words said of it as a place; returns the
    others. An expression is a word and its links, or nothing new where the word is one for the place already. `named`:
    the words for places, added to."""
    said = _said_of(places)
    things = {word for word in read.frequent if said[word] >= 0.5 * read.held[word]}
    standing: dict[tuple[str, Words], list[tuple[Run, Words]]] = defaultdict(list)
    left = []
    for run in runs:
        words = read.words(run)
        links, word = read.behind(run) if behind else read.before(run)[::-1]
        if not behind and len(words) > 1 and words[0] in read.frequent - things:
            word, links, words = words[0], (), words[1:]
        if word is None:
            left.append(run)
        else:
            standing[word, links].append((run, words))
    for (word, links), found in sorted(standing.items(), key=lambda item: (-len(item[1]), item[0])):
        own = [(run.row, words) for run, words in found]
        counts = _words_of(own)
        place = _nearest(counts, places) if takes_turns(counts) else None
        called = named.get(word)
        if called is not None and (place is called or _overlap(counts, called.said) >= ALSO_ALIKE):
            called.take(own, None)
        elif place is None or len(found) < FREQUENT * len(read.tokens):
            left += [run for run, _ in found]
        else:
            place.take(own, (*links, word) if behind else (word, *links))
            if not links:
                named[word] = place
    return left


def _nearest(said: Counter[str], places: Sequence[_Place]) -> _Place | None:
    """The place of which the same words are said; None if there is none."""
    best = max(places, key=lambda place: _overlap(said, place.said), default=None)
    return best if best is not None and _overlap(said, best.said) >= ALIKE else None


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    """The share that two distributions of words have in common."""
    total, whole = max(one.total(), 1), max(other.total(), 1)
    return sum(min(count / total, other[word] / whole) for word, count in one.items())


def _words_of(runs: Iterable[tuple[int, Words]]) -> Counter[str]:
    """The words of runs, counted."""
    found: Counter[str] = Counter()
    for _, words in runs:
        found.update(words)
    return found


def _is_place(place: _Place, captions: int) -> bool:
    """Whether most captions say something of it, and one thing only."""
    by_row: dict[int, set[Words]] = defaultdict(set)
    for row, words in place.runs:
        by_row[row].add(words)
    one = sum(len(things) == 1 for things in by_row.values())
    return len(by_row) >= SPOKEN_OF * captions and one >= ONE_EACH * len(by_row)


def _is_filler(word: str, places: Sequence[_Place], held: int) -> bool:
    """Whether a word that `held` captions hold says nothing of any place: it is not among what is said there, or stands
    beside everything that is, and excludes none of it."""
    said = _said_of(places)[word]
    if said < IN_PASSING * held:
        return True
    return all(_stands_beside_all(word, place) for place in places if place.said[word] >= IN_PASSING * said)


def _stands_beside_all(word: str, place: _Place) -> bool:
    """Whether a word of a place never stands alone and excludes no other, and enough is said to tell."""
    own = [words for _, words in place.runs if word in words]
    if any(len(words) == 1 for words in own):
        return False
    beside = Counter(other for words in own for other in set(words))
    share = len(own) / max(1, len(place.runs))
    expected = {other: share * count for other, count in place.said.items() if other != word}
    sure = {other: by_chance for other, by_chance in expected.items() if by_chance >= EXPECTED}
    excluded = sum(by_chance for other, by_chance in sure.items() if beside[other] < APART * by_chance)
    total = sum(expected.values())
    return excluded <= IN_ERROR * total and sum(sure.values()) >= 0.5 * total


def _said_of(places: Sequence[_Place]) -> Counter[str]:
    """How often each word is said of any place."""
    return sum((place.said for place in places), Counter[str]())
