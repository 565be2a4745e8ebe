import pytest

from swiggle.data.grounds import check_ground, ground_pixels
from swiggle.errors import ConfigError
from swiggle.overrides import load_config


def test_colours_by_name_and_number() -> None:
    assert (ground_pixels("white", 2, 3) == 255).all()
    assert ground_pixels("#102030", 2, 3).tolist() == [[[16, 32, 48]] * 3] * 2


def test_a_checkered_ground_has_eight_fields_a_side() -> None:
    fields = ground_pixels("checkered", 16, 16)
    assert fields.shape == (16, 16, 3)
    assert fields[::2, ::2, 0].tolist() == [[255, 204] * 4, [204, 255] * 4] * 4
    assert ground_pixels("checkered", 3, 3)[0, :, 0].tolist() == [255, 204, 255]


@pytest.mark.parametrize("name", ["chequered", "#12", ""])
def test_what_is_no_ground_is_refused_before_anything_is_read(name: str) -> None:
    with pytest.raises(ConfigError, match="checkered"):
        check_ground(name)
    with pytest.raises(ConfigError, match=r"data\.ground"):
        load_config([f"data.ground={name!r}"])
