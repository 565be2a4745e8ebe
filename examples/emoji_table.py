"""Emoji as a captioned set: a folder of pictures with `metadata.jsonl`, and the same as one table, `emoji.parquet`.

    npm pack emoji-datasource-twitter@16.0.0 && tar xzf emoji-datasource-twitter-16.0.0.tgz
    python examples/emoji_table.py package emoji
    python -m jobs.pipeline data.source=emoji/emoji.parquet data.count=null run=runs/emoji

    pip install resvg-py && npm pack openmoji@16.0.0 && tar xzf openmoji-16.0.0.tgz
    python examples/emoji_table.py package openmoji

Reads an unpacked npm package of either kind: Twemoji (3,786 pictures of 64 x 64, CC BY 4.0) or OpenMoji (4,292 drawings
in SVG, CC BY-SA 4.0, drawn here at 64 x 64). A caption is the emoji's name, its skin tones and its subcategory, or what
OpenMoji's annotators say of it, in lower case: "father christmas, light skin tone, person fantasy". Pictures keep their
transparency in the folder and lie on white in the table.
"""

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

SKIN_TONES = {
    "1F3FB": "light skin tone", "1F3FC": "medium light skin tone", "1F3FD": "medium skin tone",
    "1F3FE": "medium dark skin tone", "1F3FF": "dark skin tone",
}  # fmt: skip
"""By the code point that asks for it (Unicode's Fitzpatrick modifiers)."""
SIDE = 64
"""Of pictures that are drawn from SVG, in pixels."""
Pair = tuple[Path, str]
"""A picture's file and its caption."""


def plain(*parts: str) -> str:
    """Words in lower case; parts apart by a comma, each said once, and no other punctuation."""
    cleaned = (" ".join(re.findall(r"[^\W_]+", part.lower())) for part in parts)
    return ", ".join(dict.fromkeys(part for part in cleaned if part))


def twemoji(package: Path) -> Iterator[Pair]:
    """Every picture of `emoji-datasource-twitter`, skin tones too, with its name and subcategory."""
    folder = package / "img/twitter/64"
    for emoji in json.loads((package / "emoji.json").read_text()):
        variants = [("", emoji), *emoji.get("skin_variations", {}).items()]
        for tones, variant in variants:
            if variant["has_img_twitter"]:
                spoken = [SKIN_TONES[tone] for tone in dict.fromkeys(tones.split("-")) if tone]
                yield (
                    folder / variant["image"],
                    plain(emoji["name"] or emoji["short_name"], *spoken, emoji["subcategory"]),
                )


def openmoji(package: Path) -> Iterator[Pair]:
    """Every picture of `openmoji` with its name, its tags and its subgroup, as people have written them."""
    for emoji in json.loads((package / "data/openmoji.json").read_text()):
        picture = package / "color/svg" / f"{emoji['hexcode']}.svg"
        tags = emoji["tags"] if isinstance(emoji["tags"], str) else ",".join(emoji["tags"])
        yield picture, plain(emoji["annotation"], *tags.split(","), emoji["subgroups"])


def png_of(file: Path) -> bytes:
    """A picture as PNG, transparent where it was."""
    if file.suffix != ".svg":
        return file.read_bytes()
    import resvg_py  # here, for Twemoji needs none

    return bytes(resvg_py.svg_to_bytes(svg_path=str(file), width=SIDE, height=SIDE))


def on_white(png: bytes) -> bytes:
    """The picture without transparency, as PNG."""
    drawn = Image.open(io.BytesIO(png)).convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB")
    flat.save(stored := io.BytesIO(), "PNG")
    return stored.getvalue()


def write(pairs: list[Pair], folder: Path) -> None:
    """The folder of pictures with `metadata.jsonl`, and beside it the table."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    lines, rows = [], []
    for file, caption in pairs:
        name, png = f"{file.stem}.png", png_of(file)
        (pictures / name).write_bytes(png)
        lines.append(json.dumps({"file_name": name, "text": caption}, ensure_ascii=False) + "\n")
        rows.append({"image": {"bytes": on_white(png), "path": name}, "caption": caption})
    (pictures / "metadata.jsonl").write_text("".join(lines))
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{folder.name}.parquet")


def main(package: Path, folder: Path) -> None:
    if (package / "emoji.json").exists():
        pairs = list(twemoji(package))
    elif (package / "data/openmoji.json").exists():
        pairs = list(openmoji(package))
    else:
        sys.exit(f"{package} is neither emoji-datasource-twitter nor openmoji, unpacked")
    write(there := [pair for pair in pairs if pair[0].exists()], folder)
    print(f"{len(there)} pictures in {folder}/pictures and {folder}/{folder.name}.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
