import numpy as np

from swiggle.data.splits import SPLITS, split_of
from swiggle.nouns.caption_templates import captions_for
from swiggle.nouns.sampling import draw_traits
from swiggle.nouns.sprites import SLOTS, load_sprites

SPRITES = load_sprites()


def test_characters_are_distinct_as_pictures_and_repeatable() -> None:
    traits = draw_traits(SPRITES, 3_000, seed=1)
    assert len({p.tobytes() for p in SPRITES.render(traits)}) == 3_000
    np.testing.assert_array_equal(traits, draw_traits(SPRITES, 3_000, seed=1))
    assert (traits != draw_traits(SPRITES, 3_000, seed=2)).any()


def test_every_value_of_every_slot_turns_up_about_evenly() -> None:
    traits = draw_traits(SPRITES, 20_000, seed=0)
    for column, slot in enumerate(SLOTS):
        counts = np.bincount(traits[:, column], minlength=SPRITES.count(slot))
        expected = len(traits) / SPRITES.count(slot)
        assert (np.abs(counts - expected) < 6 * np.sqrt(expected)).all()


def test_captions_name_every_trait() -> None:
    traits = draw_traits(SPRITES, 200, seed=3)
    for row, text in zip(traits, captions_for(SPRITES, traits, seed=3), strict=True):
        for slot, value in zip(SLOTS, row, strict=True):
            assert SPRITES.names[slot][value] in text


def test_the_split_depends_on_the_id_alone() -> None:
    shares = {split: np.mean([split_of(i) == split for i in range(20_000)]) for split in SPLITS}
    assert abs(shares["train"] - 0.8) < 0.015
    assert abs(shares["validation"] - 0.1) < 0.01
    assert [split_of(i) for i in (0, 1, 2)] == [split_of(i) for i in (0, 1, 2)]
