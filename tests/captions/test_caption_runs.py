from collections import Counter

import numpy as np

from swiggle.captions.caption_runs import CutCaptions, takes_turns

CAPTIONS = [f"a {look} cat with {tail} tail, colour: {colour}" for look, tail, colour in (
    ("big", "long", "red"), ("small", "short", "blue"), ("big", "short", "blue"), ("old", "long", "green"),
)]  # fmt: skip


def test_runs_and_what_stands_around_them() -> None:
    cut = CutCaptions(CAPTIONS, None)
    assert (cut.nouns, cut.keys) == ({"cat", "tail"}, {"colour"})
    big, long, red = (run for run in cut.runs() if run.row == 0)
    assert [cut.words(run) for run in (big, long, red)] == [("big",), ("long",), ("red",)]
    assert cut.behind(big) == ((), "cat")
    assert cut.before(long) == ("cat", ("with",))
    assert (cut.key(long), cut.key(red)) == (None, "colour")


def test_mean_pictures_tell_things_from_names(rng: np.random.Generator) -> None:
    looks = np.repeat([0.0, 1.0], 200)[:, None] + 0.1 * rng.normal(size=(400, 4))
    cut = CutCaptions(["a big cat"] * 400, looks)
    assert not cut.same_look(range(200), range(200, 400))
    assert cut.same_look(range(0, 400, 2), range(1, 400, 2))
    assert CutCaptions(["a big cat"] * 400, None).same_look(range(200), range(200, 400))


def test_what_is_always_the_same_takes_no_turns() -> None:
    assert not takes_turns(Counter({"art": 99}))
    assert takes_turns(Counter({"art": 50, "red": 49}))
