import numpy as np
import pytest

from scripts.draw_dicebear_parts import corners, drawn, filled
from swiggle.dicebear.avatar_parts import KINDS, NOTHING, SLOTS, load_parts

PARTS = load_parts()


def test_counts_distinct_names_and_shares() -> None:
    assert [PARTS.count(slot) for slot in SLOTS] == [6, 4, 5, 25, 5, 13, 10, 6, 48, 17]
    for slot in SLOTS:
        assert len(set(PARTS.names[slot])) == PARTS.count(slot)
        assert PARTS.share[slot].sum() == pytest.approx(1.0)
        assert PARTS.share[slot].min() >= 0.019
    bare = {slot: PARTS.share[slot][0] for slot in SLOTS if NOTHING in PARTS.names[slot]}
    assert bare == {slot: kind.bare for slot, kind in KINDS.items() if kind.bare}


def test_no_two_values_of_a_slot_paint_the_same() -> None:
    for slot in SLOTS:
        painted = {PARTS.keep[slot][i].tobytes() + PARTS.paint[slot][i].tobytes() for i in range(PARTS.count(slot))}
        assert len(painted) == PARTS.count(slot)


def test_parts_are_painted_in_order_and_seen_through() -> None:
    traits = np.zeros((1, len(SLOTS)), int)
    traits[0, SLOTS.index("glasses")] = PARTS.names["glasses"].index("tinted black")
    traits[0, SLOTS.index("hat")] = PARTS.names["hat"].index("knitted red")
    picture = PARTS.render(traits)[0]
    assert picture[0, 0].tolist() == [245, 245, 245]  # a white background
    assert picture[2, 8].tolist() == [166, 33, 22]  # the hat hides the hair
    traits[0, SLOTS.index("glasses")] = 0
    # A lens lets seven tenths of the white of an eye through.
    lens = PARTS.keep["glasses"][PARTS.names["glasses"].index("tinted black")].reshape(16, 16)
    white = (PARTS.render(traits)[0] == 255).all(axis=2) & np.isclose(lens, 0.7)
    assert white.any()
    assert (picture[white] == np.rint(0.7 * 255)).all()


def test_a_part_by_hand() -> None:
    tint = {"type": "color", "name": "hat"}
    elements = [
        {"name": "path", "attributes": {"fill": tint, "d": "M0 0h2v1H0z"}},
        {"name": "path", "attributes": {"fill": "white", "fill-opacity": ".3", "d": "M1 0h1v1H1z"}},
        {"name": "path", "attributes": {"fill": "black", "d": "M0 0h1v1H0z", "transform": "matrix(-1 0 0 1 3 2)"}},
    ]
    keep, of_tint, white = drawn(elements, "translate(4 1)")
    expected = np.zeros((3, 16, 16), np.float32)
    expected[0] = 1
    expected[0, 1, 4:6] = 0
    expected[1, 1, 4:6] = [1, 0.7]
    expected[2, 1, 5] = 0.3
    expected[0, 3, 6] = 0  # mirrored and moved
    np.testing.assert_allclose([keep, of_tint, white], expected, atol=1e-6)


def test_masks_and_groups_by_hand() -> None:
    mask = {"name": "path", "attributes": {"fill": "white", "opacity": ".9", "d": "M0 0h1v1H0z"}}
    inner = {"name": "path", "attributes": {"d": "M-3-6h16v16H-3z"}}
    elements = [
        {"name": "mask", "attributes": {"id": "a"}, "children": [mask]},
        {"name": "g", "attributes": {"mask": "url(#a)", "fill": {"type": "color"}}, "children": [inner]},
    ]
    layers = drawn(elements)
    assert layers[:, 0, 0] == pytest.approx([0.1, 0.9, 0.0])
    assert layers[:, 0, 1] == pytest.approx([1.0, 0.0, 0.0])


def test_holes_and_what_is_refused() -> None:
    ring = "M0 0h3v3H0zM1 1h1v1H1z"
    assert not filled(corners(ring), even_odd=True)[1, 1]
    assert filled(corners(ring), even_odd=False)[1, 1]
    for off in ("M0 0h1.5v1H0z", "M0 0l2 2H0z"):
        with pytest.raises(ValueError, match="along the grid"):
            filled(corners(off), even_odd=False)
    with pytest.raises(ValueError, match="straight"):
        corners("M0 0c1 1 2 2 3 3")
