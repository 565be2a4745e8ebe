import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from examples.emoji_table import main, plain
from swiggle.data.pixels import decode_picture


def test_a_caption_is_plain_words_and_says_nothing_twice() -> None:
    assert plain("LOVE-HOTEL", "", "place_building", "love hotel") == "love hotel, place building"


def drawn(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(path)
    return path.name


def test_a_package_of_twemoji_becomes_a_folder_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = tmp_path / "package/img/twitter/64"
    waving = {"name": "WAVING HAND", "short_name": "wave", "subcategory": "hand-open", "has_img_twitter": True}
    dark = {"image": drawn(pictures / "wave-dark.png"), "has_img_twitter": True}
    undrawn = {"image": "wave-light.png", "has_img_twitter": False}
    waving |= {"image": drawn(pictures / "wave.png"), "skin_variations": {"1F3FF": dark, "1F3FB": undrawn}}
    (tmp_path / "package/emoji.json").write_text(json.dumps([waving]))
    main(tmp_path / "package", tmp_path / "emoji")
    lines = (tmp_path / "emoji/pictures/metadata.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"file_name": "wave.png", "text": "waving hand, hand open"},
        {"file_name": "wave-dark.png", "text": "waving hand, dark skin tone, hand open"},
    ]
    assert Image.open(tmp_path / "emoji/pictures/wave.png").mode == "RGBA"
    table = pq.read_table(tmp_path / "emoji/emoji.parquet")
    assert table["caption"].to_pylist() == ["waving hand, hand open", "waving hand, dark skin tone, hand open"]
    assert (decode_picture(table["image"][0].as_py()["bytes"]) == 255).all()
    assert "2 pictures" in capsys.readouterr().out


def test_openmoji_is_captioned_by_its_annotators(tmp_path: Path) -> None:
    (tmp_path / "package/color/svg").mkdir(parents=True)
    square = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="4" fill="#f00"/></svg>'
    (tmp_path / "package/color/svg/1F600.svg").write_text(square)
    known = {"annotation": "grinning face", "tags": "face, grin, happy", "subgroups": "face-smiling"}
    (tmp_path / "package/data").mkdir()
    emoji = [{"hexcode": "1F600", **known}, {"hexcode": "1F601", **known}]
    (tmp_path / "package/data/openmoji.json").write_text(json.dumps(emoji))
    main(tmp_path / "package", tmp_path / "open")
    table = pq.read_table(tmp_path / "open/open.parquet")
    assert table["caption"].to_pylist() == ["grinning face, face, grin, happy, face smiling"]
    picture = decode_picture(table["image"][0].as_py()["bytes"])
    assert picture[0, 0].tolist() == [255, 0, 0]
    assert picture[63, 0].tolist() == [255, 255, 255]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="neither"):
        main(tmp_path, tmp_path / "out")
