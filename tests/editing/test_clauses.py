import pytest

from swiggle.editing.clauses import Clause, read_clauses
from swiggle.vocabulary import Vocabulary

NOUNS = Vocabulary.load("nouns")


def read(prompt: str) -> list[tuple]:
    return [(c.action, " ".join(c.words), c.place) for c in read_clauses(prompt, NOUNS)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("make it a shark", [("replace", "shark", None)]),
        ("turn into a robot!", [("replace", "robot", None)]),
        ("give it a pizza head", [("replace", "pizza", "head")]),
        ("Give it square red glasses", [("replace", "square red", "glasses")]),
        ("put stripes and checks on the shirt", [("replace", "stripes checks", "accessory")]),
        ("change the background to warm", [("replace", "warm", "background")]),
        (
            "give it a pizza head, and less red on the shirt",
            [("replace", "pizza", "head"), ("lower", "red", "accessory")],
        ),
        ("a shark head and red glasses", [("replace", "shark", "head"), ("replace", "red", "glasses")]),
        ("remove the glasses", [("remove", "", "glasses")]),
        ("more blue on its body", [("raise", "blue", "accessory")]),
        ("without the crown", [("remove", "crown", None)]),
        ("", []),
        ("please make it", []),
        (" ,;. and and ", []),
    ],
)
def test_prompts(prompt: str, expected: list[tuple]) -> None:
    assert read(prompt) == expected


def test_amounts() -> None:
    amounts = [read_clauses(p, NOUNS)[0].amount for p in ("more red", "a bit more red", "much more red")]
    assert amounts == [1.0, 0.5, 2.0]
    assert isinstance(read_clauses("more red", NOUNS)[0], Clause)
