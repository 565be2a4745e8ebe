import numpy as np

from scripts.decode_nouns_sprites import decode_sprite
from swiggle.nouns.sprites import SLOTS, load_sprites, plain_name

SPRITES = load_sprites()


def test_counts_and_distinct_names() -> None:
    assert [SPRITES.count(slot) for slot in SLOTS] == [2, 30, 143, 254, 23]
    for slot in SLOTS:
        assert len(set(SPRITES.names[slot])) == SPRITES.count(slot)


def test_layers_are_painted_in_order() -> None:
    traits = np.zeros((1, 5), dtype=int)
    picture = SPRITES.render(traits)[0]
    expected = np.broadcast_to(SPRITES.backgrounds[0], (32, 32, 3)).copy()
    for slot in SLOTS[1:]:
        layer = SPRITES.pixels[slot][0]
        for y, x in np.argwhere(layer > 0):
            expected[y, x] = SPRITES.palette[layer[y, x]]
    np.testing.assert_array_equal(picture, expected)


def test_plain_names() -> None:
    assert plain_name("accessory-txt-doom") == "text doom"
    assert plain_name("body-bege-crt") == "beige crt"
    assert plain_name("cool") == "cool"


def test_decoding_a_sprite_by_hand() -> None:
    # Box: top 1, right 4, bottom 2, left 2; runs fill two rows of two: 5 5 / 0 7.
    picture = decode_sprite("0x00" + "01040202" + "0205" + "0100" + "0107")
    expected = np.zeros((32, 32), dtype=np.uint8)
    expected[1, 2:4] = 5
    expected[2, 3] = 7
    np.testing.assert_array_equal(picture, expected)
