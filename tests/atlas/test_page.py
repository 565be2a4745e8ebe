import json
import re
from pathlib import Path

import numpy as np

from swiggle.atlas.page import exact_sheet, lossy_sheet, tiles_of, write_page
from swiggle.data.pixels import encode_png


def test_tiles_come_out_of_a_sheet_as_they_went_in() -> None:
    tiles = np.arange(6, dtype=np.uint8).reshape(2, 3, 1, 1, 1) * np.full((1, 1, 32, 32, 3), 40, np.uint8)
    sheet = tiles.transpose(0, 2, 1, 3, 4).reshape(64, 96, 3)
    np.testing.assert_array_equal(tiles_of(encode_png(sheet)), tiles)


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    tile = np.zeros((32, 32, 3), np.uint8)
    sheets = {name: lossy_sheet([tile], 80) for name in ("previews", "strips", "ablations")}
    sheets["examples"] = exact_sheet([encode_png(tile)])
    data = {"summary": "</script><b>", "features": {"id": []}}
    write_page(data, sheets, tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    assert not re.findall(r"(?:src|href)=\"?(?:https?:)?//", page)
    assert "/*" not in page.split("<script>")[0]
    assert page.count("</script>") == 1
    found = re.search(r"const data = (.*);\n", page)
    assert found is not None
    assert json.loads(found.group(1)) == data
