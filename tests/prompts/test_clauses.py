import pytest

from swiggle.captions.vocabulary import Vocabulary
from swiggle.nouns.sprites import load_sprites
from swiggle.prompts.clauses import Clause, read_clauses
from swiggle.prompts.grammar import AMOUNTS, COMPARATIVES, LOWER, RAISE, REMOVE, STOP_WORDS

NOUNS = Vocabulary.load("nouns")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("make it a red heart", [("replace", ("red", "heart"))]),
        ("give it the face of a cat, please", [("replace", ("face", "of", "cat"))]),
        ("remove that hat", [("remove", ("hat",))]),
        ("please", []),
    ],
)
def test_small_words_are_no_content_whatever_the_vocabulary(prompt: str, expected: list[tuple]) -> None:
    assert [(clause.action, clause.words) for clause in read_clauses(prompt, Vocabulary())] == expected


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
        # Verbs, word order, speech
        ("turn him into a robot", [("replace", "robot", None)]),
        ("could you please give him a pizza head?", [("replace", "pizza", "head")]),
        ("let's see it with a robot head", [("replace", "robot", "head")]),
        ("what about a shark for a head", [("replace", "shark", "head")]),
        ("glasses: square red", [("replace", "square red", "glasses")]),
        ("give it the head of a crab", [("replace", "crab", "head")]),
        ("dress it in a red top", [("replace", "red", "body")]),
        ("make his glasses red", [("replace", "red", "glasses")]),
        ("try some square red eyewear on her", [("replace", "square red", "glasses")]),
        ("could you print stripes and checks on its shirt", [("replace", "stripes checks", "accessory")]),
        # Several at once
        ("a shark head without glasses", [("replace", "shark", "head"), ("remove", "", "glasses")]),
        (
            "a shark head with square red glasses on a warm background",
            [("replace", "shark", "head"), ("replace", "square red", "glasses"), ("replace", "warm", "background")],
        ),
        ("shark head, red glasses", [("replace", "shark", "head"), ("replace", "red", "glasses")]),
        (
            "the head should be a shark and the glasses square red",
            [("replace", "shark", "head"), ("replace", "square red", "glasses")],
        ),
        ("make it a shark with red glasses", [("replace", "shark", None), ("replace", "red", "glasses")]),
        ("turn it into a shark with red glasses", [("replace", "shark", None), ("replace", "red", "glasses")]),
        ("swap the cat for a shark with red glasses", [("replace", "shark", None), ("replace", "red", "glasses")]),
        ("replace the cat with a crown hat", [("replace", "crown", "head")]),
        ("a shark wearing red glasses", [("replace", "shark", None), ("replace", "red", "glasses")]),
        ("a shark on a warm background", [("replace", "shark", None), ("replace", "warm", "background")]),
        ("shark with glasses", [("replace", "shark", None)]),
        ("put stripes on the shirt", [("replace", "stripes", "accessory")]),
        ("put tie black on white on the shirt", [("replace", "tie black white", "accessory")]),
        ("a little more tie black on white accessory", [("raise", "tie black white", "accessory")]),
        # Something, but what?
        ("give it a hat", [("replace", "", "head")]),
        ("hat", [("replace", "", "head")]),
        ("keep the hat", []),
        # What "remove" is said of goes on, to the end of the sentence
        ("remove the glasses. the hat", [("remove", "", "glasses"), ("replace", "", "head")]),
        ("remove the glasses and the hat", [("remove", "", "glasses"), ("remove", "", "head")]),
        ("without glasses and hat", [("remove", "", "glasses"), ("remove", "", "head")]),
        ("remove the shark head and the red glasses", [("remove", "shark", "head"), ("remove", "red", "glasses")]),
        ("remove the glasses and put on a crown hat", [("remove", "", "glasses"), ("replace", "crown", "head")]),
        ("take off the hat", [("remove", "", "head")]),
        ("get rid of the print on the shirt", [("remove", "", "accessory")]),
        ("leave out the glasses", [("remove", "", "glasses")]),
        # Negation
        ("keep the hat but make the glasses square teal", [("replace", "square teal", "glasses")]),
        ("don't touch the glasses", []),
        ("don't make it a shark", []),
        ("without changing the background, make it a shark", [("replace", "shark", None)]),
        ("I don’t want glasses", [("remove", "", "glasses")]),
        ("it should not have glasses", [("remove", "", "glasses")]),
        ("a pizza, not a shark", [("replace", "pizza", None), ("remove", "shark", None)]),
        # Comparatives and levels
        ("make it redder", [("raise", "red", None)]),
        ("make the shirt bluer", [("raise", "blue", "body")]),
        ("the shirt is too red", [("lower", "red", "body")]),
        ("not so red on the shirt", [("lower", "red", "accessory")]),
        ("turn down the red on the shirt", [("lower", "red", "accessory")]),
        ("dial the blue of the body up", [("raise", "blue", "body")]),
        ("less of a shark", [("lower", "shark", None)]),
    ],
)
def test_prompts(prompt: str, expected: list[tuple]) -> None:
    assert read(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "wanted", "place", "instead_of"),
    [
        ("swap the shark for a pizza", "pizza", None, "shark"),
        ("swap the shark head for a pizza", "pizza", "head", "shark"),
        ("trade its shark hat for a crown", "crown", "head", "shark"),
        ("replace the shark with a pizza", "pizza", None, "shark"),
        ("turn the shark into a pizza", "pizza", None, "shark"),
        ("substitute a pizza for the shark", "pizza", None, "shark"),
        ("a pizza head instead of the shark", "pizza", "head", "shark"),
        ("instead of the shark, give it a pizza head", "pizza", "head", "shark"),
        ("make the shark head a pizza", "pizza", "head", "shark"),
        ("make the head a pizza", "pizza", "head", ""),
        ("swap the face for a pizza", "pizza", "head", ""),
        ("change the background from cool to warm", "warm", "background", "cool"),
    ],
)
def test_one_thing_in_place_of_another(prompt: str, wanted: str, place: str | None, instead_of: str) -> None:
    (clause,) = read_clauses(prompt, NOUNS)
    assert (clause.action, " ".join(clause.words), clause.place) == ("replace", wanted, place)
    assert " ".join(clause.instead_of) == instead_of


def test_no_name_of_a_trait_is_taken_for_grammar() -> None:
    words = {word for names in load_sprites().names.values() for name in names for word in name.split()}
    said = REMOVE | LOWER | RAISE | STOP_WORDS | AMOUNTS.keys() | COMPARATIVES.keys()
    assert not words & said


def test_amounts() -> None:
    prompts = ("more red", "a bit more red", "much more red", "slightly redder", "twice as red")
    amounts = [read_clauses(prompt, NOUNS)[0].amount for prompt in prompts]
    assert amounts == [1.0, 0.5, 2.0, 0.5, 2.0]
    assert isinstance(read_clauses("more red", NOUNS)[0], Clause)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("remove the hat, —", [("remove", "", "head")]),
        ("make it a 🦈", [("replace", "🦈", None)]),
        ("remove the hat, 🎩", [("remove", "", "head"), ("replace", "🎩", None)]),
        ("give it a 👩‍🚀 head, and a cafe\u0301 shirt", [("replace", "👩‍🚀", "head"), ("replace", "café", "body")]),
        ("make it a 鲨鱼，less red", [("replace", "鲨 鱼", None), ("lower", "red", None)]),
        ("RE\u0301D glasses", [("replace", "réd", "glasses")]),
    ],
)
def test_prompts_in_all_scripts(prompt: str, expected: list[tuple]) -> None:
    assert read(prompt) == expected
