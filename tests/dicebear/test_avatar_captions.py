from swiggle.captions.vocabulary import Vocabulary
from swiggle.composition import composition_of
from swiggle.dicebear.avatar_captions import TEMPLATES, avatar_captions
from swiggle.dicebear.avatar_parts import SLOTS, load_parts

PARTS = load_parts()
TRAITS = composition_of("dicebear").draw(300, seed=3)


def test_captions_name_every_trait_in_its_place() -> None:
    vocabulary = Vocabulary.load("dicebear")
    captions = avatar_captions(PARTS, TRAITS, seed=3)
    for row, text in zip(TRAITS, captions, strict=True):
        said = {(mention.place, mention.words) for mention in vocabulary.mentions(text)}
        for slot, value in zip(SLOTS, row, strict=True):
            assert (slot, tuple(PARTS.names[slot][value].split())) in said, text


def test_captions_are_repeatable_and_vary() -> None:
    one = TRAITS[:1].repeat(200, axis=0)
    assert len(set(avatar_captions(PARTS, one, seed=0))) == len(TEMPLATES)
    assert avatar_captions(PARTS, TRAITS, seed=1) == avatar_captions(PARTS, TRAITS, seed=1)
