from swiggle.data.understood import Understood


def told(*rows: tuple[tuple[int, int], list[str], str]) -> Understood:
    understood = Understood()
    for size, captions, origin in rows:
        understood.add({"size": size, "caption": ". ".join(captions) or None, "said": len(captions), "origin": origin})
    return understood


def test_a_set_is_summed_up_in_a_line() -> None:
    one = told(((64, 64), ["a cat"], "metadata.jsonl"), ((64, 64), ["a dog"], "metadata.jsonl"))
    assert one.sentence() == "2 pictures of 64 x 64, one caption each, from metadata.jsonl"
    assert one.what_works() == "labels, edits by prompt, the map and the sliders work"


def test_a_mixed_set_is_told_to_be_one() -> None:
    rows = [((9, 9), ["a", "b"], "metadata.csv"), ((40, 30), ["c"], ".txt files"), ((40, 30), [], "")]
    mixed = told(*rows, *[((40, 30), ["d"], ".txt files")] * 1_200)
    assert mixed.sentence() == (
        "1,203 pictures of 9 x 9 to 40 x 30, most often 40 x 30, 1 to 2 captions for each of 1,202 of them, "
        "from .txt files (1,201), metadata.csv (1)"
    )
    assert "1 of 1,203 pictures have no caption" in mixed.what_works()


def test_what_does_not_work_is_said() -> None:
    none = told(((8, 8), [], ""))
    assert none.sentence() == "1 picture of 8 x 8, no captions"
    assert "no labels" in none.what_works()
    same = told(*[((8, 8), ["a cat"], ".txt files")] * 2)
    assert "the same" in same.what_works()


def test_a_composed_set() -> None:
    understood = Understood()
    understood.add({"caption": "a character"})
    assert understood.sentence("composed of nouns") == "1 picture composed of nouns, one caption each"
