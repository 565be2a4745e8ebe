from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from swiggle.config import DataConfig
from swiggle.data.reading import read_pictures
from swiggle.data.sources import write_splits
from swiggle.data.splits import SPLITS, split_of


def picture(look: int, side: int = 8) -> np.ndarray:
    """A picture that looks like no other."""
    return np.random.default_rng(look).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_composed_sets_keep_their_split_by_id(tmp_path: Path) -> None:
    write_splits(DataConfig(count=200), 32, tmp_path)
    ids = {split: read_pictures(tmp_path / split, 32).ids.tolist() for split in SPLITS}
    assert ids == {split: [i for i in range(200) if split_of(i) == split] for split in SPLITS}
    assert ids["test"][:5] == [5, 7, 16, 17, 19]


def test_content_is_what_the_model_sees() -> None:
    from swiggle.data.splits import content_of

    small = picture(1)
    assert content_of(small, 32) == content_of(small.repeat(4, axis=0).repeat(4, axis=1), 32) < 2**53
    assert content_of(small, 32) != content_of(picture(2), 32)
    assert content_of(np.zeros((8, 8, 3), np.uint8), 32) != content_of(np.ones((8, 8, 3), np.uint8), 32)


@given(looks=st.sets(st.integers(0, 400), max_size=40), more=st.sets(st.integers(0, 400), max_size=40))
@settings(deadline=None, max_examples=30)
def test_more_pictures_move_none(looks: set[int], more: set[int]) -> None:
    from swiggle.data.splits import PictureIds, content_of

    def assigned(chosen: list[int]) -> dict[int, tuple[int, str]]:
        ids = PictureIds()
        contents = {look: content_of(picture(look), 8) for look in chosen}
        return {look: (ids.of(content), split_of(content)) for look, content in contents.items()}

    before, after = assigned(sorted(looks)), assigned(sorted(looks | more, reverse=True))
    assert all(after[look] == place for look, place in before.items())
    assert len({number for number, _ in after.values()}) == len(after)


@given(st.lists(st.integers(0, 5), max_size=30))
@settings(deadline=None)
def test_ids_are_distinct_for_equal_pictures_and_the_same_in_any_order(contents: list[int]) -> None:
    from swiggle.data.splits import PictureIds

    there, back = PictureIds(), PictureIds()
    ids = sorted(there.of(content) for content in contents)
    assert ids == sorted(back.of(content) for content in reversed(contents))
    assert len(set(ids)) == len(contents)
    assert all(0 <= number < 2**53 for number in ids)


@given(st.dictionaries(st.integers(0, 2**53 - 1), st.integers(1, 60), min_size=1, max_size=12))
@settings(deadline=None)
def test_what_is_held_out_of_too_few_pictures(counts: dict[int, int]) -> None:
    from swiggle.data.splits import hold_out

    splits = hold_out(counts)
    assert splits.keys() == counts.keys()
    held = {split: sum(counts[content] for content, place in splits.items() if place == split) for split in SPLITS}
    if {split_of(content) for content in counts} == set(SPLITS):
        assert splits == {content: split_of(content) for content in counts}
    else:
        assert held["train"] >= max(held["validation"], held["test"])
        assert held["validation"] or not held["test"]
    if len(counts) == 1:
        assert held["validation"] == 0
    assert splits == hold_out(dict(reversed(counts.items())))


def test_twelve_pictures_fill_every_split() -> None:
    from swiggle.data.splits import content_of, hold_out

    splits = hold_out({content_of(picture(look), 8): 1 for look in range(12)})
    assert sorted(splits.values()).count("train") >= 8
    assert set(splits.values()) == set(SPLITS)
