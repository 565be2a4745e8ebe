"""Draw the parts of DiceBear's pixel-art avatars into the one data file that the compositor reads.

    pip download --no-deps dicebear-styles==10.6.0 && unzip dicebear_styles-10.6.0-py3-none-any.whl
    python scripts/draw_dicebear_parts.py dicebear_styles/pixel-art.json swiggle/dicebear/parts.npz

A part is a list of SVG paths with edges along a grid of 16 x 16 squares, each filled with white, black or the colour
that the part is given ("tint"), more or less opaque. So what a part makes of the colour `v` below it is
`keep * v + tint * colour + 255 * white`. The output holds, for every component, `<component>_names` and
`<component>_layers` (float32 [parts, 3, 16, 16]: keep, tint, white), and for every kind of colour
`<kind>_colours` (uint8 RGB). It is the same to the byte each time.

A group under a mask (beards alone have one) takes the opacity of the mask. The style asks for its luminance too, which
makes dark beards all but invisible; that is left out.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

SIZE = 16
NEARLY = 0.05
"""How far a corner may lie off the grid: one path has 15.007 for 15."""
_STEPS = {"h": 1, "v": 1, "m": 2, "l": 2, "z": 0}


def corners(path: str) -> list[list[tuple[float, float]]]:
    """The closed outlines of an SVG path of straight lines, as (x, y)."""
    outlines: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for command, given in re.findall(r"([a-zA-Z])([^a-zA-Z]*)", path):
        kind, relative = command.lower(), command.islower()
        if kind not in _STEPS:
            raise ValueError(f"path command {command!r} is none of straight lines")
        numbers = [float(number) for number in re.findall(r"-?\d*\.?\d+", given)]
        if kind == "z":
            x, y = outlines[-1][0]
            continue
        for start in range(0, len(numbers), _STEPS[kind]):
            step = numbers[start : start + _STEPS[kind]]
            across, down = (x, y) if relative else (0.0, 0.0)
            x = across + step[0] if kind != "v" else x
            y = down + step[-1] if kind != "h" else y
            if kind == "m" and start == 0:
                outlines.append([])
            outlines[-1].append((x, y))
    return outlines


def filled(outlines: list[list[tuple[float, float]]], even_odd: bool) -> np.ndarray:
    """The squares inside outlines along the grid: bool [16, 16]. Raises ValueError for an outline off the grid."""
    winding = np.zeros((SIZE, SIZE), int)
    for outline in outlines:
        if any(abs(number - round(number)) > NEARLY for corner in outline for number in corner):
            raise ValueError(f"the corners {outline} are not along the grid")
        on_grid = [(round(x), round(y)) for x, y in outline]
        for (x, y), (right, below) in zip(on_grid, on_grid[1:] + on_grid[:1], strict=True):
            if x != right and y != below:
                raise ValueError(f"the line from {(x, y)} to {(right, below)} is not along the grid")
            top, bottom = (max(0, end) for end in sorted((y, below)))
            winding[top:bottom, max(0, x) :] += 1 if below > y else -1
    return winding % 2 == 1 if even_odd else winding != 0


def moved(points: list[tuple[float, float]], transform: str) -> list[tuple[float, float]]:
    """Points after an SVG `translate` or `matrix`."""
    found = re.fullmatch(r"(\w+)\(([^)]*)\)", transform)
    if found is None:
        raise ValueError(f"{transform!r} is no single transform")
    name, numbers = found.groups()
    given = [float(number) for number in numbers.replace(",", " ").split()]
    if name == "translate":
        given = [1, 0, 0, 1, given[0], given[1] if len(given) > 1 else 0]
    a, b, c, d, e, f = given
    return [(a * x + c * y + e, b * x + d * y + f) for x, y in points]


def paint(layers: np.ndarray, elements: list[dict[str, Any]], place: str, inherited: dict[str, Any]) -> None:
    """Paint SVG elements over layers float [3, 16, 16]; `place` is the transform of the component."""
    masks: dict[str, np.ndarray] = {}
    for element in elements:
        attributes = inherited | element.get("attributes", {})
        if element["name"] == "mask":
            inside = np.zeros((3, SIZE, SIZE))
            inside[0] = 1
            paint(inside, element["children"], place, {})
            masks[f"url(#{attributes['id']})"] = 1 - inside[0]
        elif element["name"] == "g":
            group = np.zeros((3, SIZE, SIZE))
            group[0] = 1
            own = {key: value for key, value in attributes.items() if key == "fill"}
            paint(group, element["children"], place, own)
            shown = masks[attributes["mask"]] if "mask" in attributes else np.ones((SIZE, SIZE))
            layers *= 1 - shown + shown * group[0]
            layers[1:] += shown * group[1:]
        elif element["name"] == "path":
            outlines = corners(attributes["d"])
            for transform in filter(None, (attributes.get("transform"), place)):
                outlines = [moved(outline, transform) for outline in outlines]
            inside = filled(outlines, attributes.get("fill-rule") == "evenodd")
            alpha = inside * float(attributes.get("fill-opacity", 1)) * float(attributes.get("opacity", 1))
            layers *= 1 - alpha
            fill = attributes["fill"]
            if isinstance(fill, dict):
                layers[1] += alpha
            elif fill == "white":
                layers[2] += alpha
            elif fill != "black":
                raise ValueError(f"fill {fill!r} is neither white, black nor a colour that is given")
        else:
            raise ValueError(f"element {element['name']!r} is no path, group or mask")


def drawn(elements: list[dict[str, Any]], place: str = "") -> np.ndarray:
    """A part: float32 [3, 16, 16]."""
    layers = np.zeros((3, SIZE, SIZE))
    layers[0] = 1
    paint(layers, elements, place, {})
    return layers.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("style", type=Path, help="pixel-art.json of dicebear-styles")
    parser.add_argument("output", type=Path, help="the .npz file to write")
    arguments = parser.parse_args()
    style = json.loads(arguments.style.read_text())
    canvas = style["canvas"]["elements"]
    arrays: dict[str, Any] = {
        "skin_names": np.array(["skin"]),
        "skin_layers": drawn([element for element in canvas if element["type"] == "element"])[None],
    }
    for element in canvas:
        if element["type"] != "component":
            continue
        place = element.get("attributes", {}).get("transform", "")
        place = re.sub(r"\((\d+)\)", r"(\1 0)", place)
        variants = style["components"][element["name"]]["variants"]
        arrays[f"{element['name']}_names"] = np.array(list(variants))
        arrays[f"{element['name']}_layers"] = np.stack([drawn(part["elements"], place) for part in variants.values()])
    for kind, colours in style["colors"].items():
        arrays[f"{kind}_colours"] = np.array([list(bytes.fromhex(c[1:])) for c in colours["values"]], np.uint8)
    np.savez_compressed(arguments.output, **arrays)


if __name__ == "__main__":
    main()
