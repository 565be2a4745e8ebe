"""The planner on a world of three heads, two shirts and two prints, whose dictionary has a feature for each."""

import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.captioned_latents import captioned_latents
from swiggle.atlas.index import LabelIndex, Match
from swiggle.atlas.label_text import LabelText
from swiggle.captions.vocabulary import Mention, Vocabulary
from swiggle.editing.composer import Picture
from swiggle.editing.planner import Planner
from swiggle.prompts.clauses import Clause

WORDS = ["shark", "lamp", "pizza", "red", "blue", "stripes", "dots"]
PLACES = ["head", "head", "head", "body", "body", "print", "print"]
SHARK, LAMP, PIZZA, RED, BLUE, STRIPES, DOTS = range(7)
VOCABULARY = Vocabulary(
    places={"head": ["head"], "body": ["shirt"], "print": ["print"]},
    default_place="head",
    filler=frozenset({"a", "with", "the", "it", "and", "on"}),
)


@dataclass
class ExactIndex(LabelIndex):
    """Finds the features whose label is the query, in place of embeddings."""

    labels: list[str]

    def search(self, words: str, place: str | None = None, limit: int = 64) -> list[Match]:
        scored = [(self._score(label, words), i) for i, label in enumerate(self.labels)]
        kept = [(score, i) for score, i in scored if place is None or PLACES[i] == place]
        kept = sorted(kept, key=lambda pair: -pair[0])[:limit]
        return [Match(i, self.labels[i], PLACES[i], score) for score, i in kept]

    def _score(self, label: str, words: str) -> float:
        """1 for the same words, less if something is added to them, little for others."""
        said, _, added = label.partition(", ")
        return 0.1 if said.removesuffix(" head").removesuffix(" print") != words else 0.93 if added else 1.0


def planner_of(labels: list[str]) -> tuple[Planner, np.ndarray]:
    """The planner, its features labelled so, and the activations [N, 7] of the pictures it remembers."""
    rng = np.random.default_rng(0)
    rows = np.linalg.qr(rng.normal(size=(16, 7)))[0].T.astype(np.float32)
    drawn = np.stack([rng.integers(3, size=600), 3 + rng.integers(2, size=600), 5 + rng.integers(2, size=600)], axis=1)
    codes = np.zeros((600, 7), np.float32)
    np.put_along_axis(codes, drawn, 1.0, axis=1)
    # Below stripes red is twice as strong: what a shirt prototypes like depends on its print.
    codes[(codes[:, RED] > 0) & (codes[:, STRIPES] > 0), RED] = 2.0
    latents = codes @ rows + 0.01 * rng.normal(size=(600, 16)).astype(np.float32)
    captions = [f"a {WORDS[h]} head with a {WORDS[b]} shirt and {WORDS[p]} print" for h, b, p in drawn]
    values = sparse.csr_matrix(codes)
    unit = codes.sum(axis=0) / (codes > 0).sum(axis=0)
    known = [Mention(place, (word,)) for place, word in zip(PLACES, WORDS, strict=True)]
    captioned = captioned_latents(latents, captions, values, unit, known, VOCABULARY)
    footprint = np.zeros((7, 32, 32), np.float32)
    footprint[:3, :16], footprint[3:, 16:] = 1.0, 1.0  # heads above; shirts and prints on the same half
    strong = codes >= 0.5 * unit
    direction = np.stack([latents[strong[:, i]].mean(axis=0) - latents.mean(axis=0) for i in range(7)])
    table = pa.table(
        {
            "label": labels, "words": labels, "place": PLACES, "rule": ["[]"] * 7, "confidence": np.ones(7),
            "density": np.full(7, 0.4), "mean_activation": unit,
        }
    )  # fmt: skip
    atlas = Atlas(table, direction, footprint, {}, [], VOCABULARY, captioned)
    return Planner(atlas, ExactIndex(labels), rows), codes


def after(planner: Planner, prompt: str, codes: np.ndarray) -> np.ndarray:
    """Activations [7] of a picture once a prompt's plan is applied."""
    plan = planner.plan(prompt, Picture(codes, codes @ planner.rows)).plan
    result = codes.copy()
    for operation in plan.operations:
        result[operation.feature] = operation.strength * planner.atlas.mean_activation[operation.feature]
    return result


def wearing(*features: int) -> np.ndarray:
    return np.isin(np.arange(7), features).astype(np.float32)


@pytest.mark.parametrize(("pattern", "red"), [(STRIPES, 2.0), (DOTS, 1.0)])
def test_a_shirt_is_replaced_as_it_looks_below_the_print(pattern: int, red: float) -> None:
    planner, _ = planner_of(WORDS)
    expected = wearing(SHARK, pattern) + red * wearing(RED)
    np.testing.assert_allclose(after(planner, "a red shirt", wearing(SHARK, BLUE, pattern)), expected, atol=0.1)


def test_a_request_without_a_place_means_the_head_and_several_follow_each_other() -> None:
    planner, _ = planner_of(WORDS)
    found = after(planner, "make it a pizza, and dots print", wearing(SHARK, BLUE, STRIPES))
    np.testing.assert_allclose(found, wearing(PIZZA, BLUE, DOTS), atol=0.15)


def test_both_sides_of_an_and_are_read_by_the_same_reader() -> None:
    """A language model, where one is named: the rules read "shark-ish" as nothing that there is."""
    planner, _ = planner_of(WORDS)

    def model(prompt: str, vocabulary: Vocabulary) -> list[Clause]:
        meant = {"shark-ish": ("shark",), "dotty": ("dots",)}.get(prompt.strip(), ("nothing",))
        return [Clause(prompt, "replace", meant, None, 1.0, ())]

    by_model = replace(planner, reader=model).understand("shark-ish and dotty")
    assert [request.found.matched[0].feature for request in by_model] == [SHARK, DOTS]


def test_without_a_picture_what_is_asked_for_is_not_cleared_away() -> None:
    planner, _ = planner_of(WORDS)
    done = {operation.feature: operation.op for operation in planner.plan("make it a shark").plan.operations}
    assert (done[SHARK], done[LAMP], done[PIZZA]) == ("set", "ablate", "ablate")


def test_what_is_there_already_and_unknown_words_change_nothing() -> None:
    planner, _ = planner_of(WORDS)
    worn = wearing(SHARK, BLUE, DOTS)
    for prompt in ("a blue shirt", "make it a shark", "make it a zorblax"):
        assert planner.plan(prompt, Picture(worn, worn @ planner.rows)).plan.operations == []


def test_removal_takes_out_what_is_there_and_only_that() -> None:
    planner, _ = planner_of(WORDS)
    worn = wearing(SHARK, BLUE, DOTS)
    found = after(planner, "remove the shark head", worn)
    assert found[SHARK] < 0.5
    np.testing.assert_allclose(found[3:], worn[3:], atol=0.1)
    assert after(planner, "remove the lamp head", worn).tolist() == worn.tolist()


def test_a_label_that_captions_do_not_bear_out_goes_by_its_feature() -> None:
    """ "grin" is on no caption: its feature's direction serves. "lamp", dealt to the wrong feature, is not believed."""
    planner, _ = planner_of(["grin", "pizza", "lamp", *WORDS[3:]])
    worn = wearing(PIZZA, BLUE, DOTS)
    assert after(planner, "make it a grin", worn)[SHARK] > 0.5
    found = after(planner, "make it a pizza", wearing(SHARK, BLUE, DOTS))
    assert found[LAMP] > 0.5
    assert found[PIZZA] < 0.5


def test_what_else_a_word_might_mean_is_told() -> None:
    planner, _ = planner_of(["shark", "shark", *WORDS[2:5], "pizza", "dots"])
    worn = wearing(LAMP, BLUE, DOTS)
    (reason,) = planner.plan("make it a pizza", Picture(worn, worn @ planner.rows)).reasons
    assert [match.feature for match in reason.matched] == [PIZZA]
    assert reason.alternatives == []  # the other pizza is called the same
    planner.index.labels[STRIPES] = "pizza print"
    (reason,) = planner.plan("make it a pizza", Picture(worn, worn @ planner.rows)).reasons
    assert reason.alternatives == ["pizza print"]
    (nothing,) = planner.plan("make it a zorblax", Picture(worn, worn @ planner.rows)).reasons
    assert (nothing.matched, nothing.alternatives, len(nothing.nearest)) == ([], [], 5)


def test_a_whole_label_can_be_asked_for() -> None:
    """Labels that the page offers hold what tells them from others of the same meaning; that is no request."""
    planner, _ = planner_of(WORDS)
    planner.atlas.label_texts[SHARK] = LabelText("shark head, upper", "shark head", "shark head")
    worn = wearing(PIZZA, BLUE, DOTS)
    found = after(planner, "Give it Shark head, upper", worn)
    np.testing.assert_array_equal(found, after(planner, "give it shark head", worn))
    assert found[SHARK] > 0.5
    assert len(planner.understand("Give it Shark head, upper")) == 1
    asked = [request.clause.words for request in planner.understand("give it shark head, upper, make the shirt blue")]
    assert asked == [("shark",), ("blue",)]


def test_labels_of_the_same_meaning_are_no_alternatives() -> None:
    planner, _ = planner_of(["shark", "shark", *WORDS[2:]])
    planner.index.labels[LAMP] = "shark head, upper"
    (reason,) = planner.plan("make it a shark").reasons
    assert [match.feature for match in reason.matched] == [SHARK]
    assert reason.alternatives == ["shark head, upper"]  # as far as the atlas knows
    planner, _ = planner_of(["shark head", "shark head, upper", *WORDS[2:]])
    planner.atlas.label_texts[LAMP] = LabelText("shark head, upper", "shark head", "shark head")
    (reason,) = planner.plan("make it a shark").reasons
    assert [match.feature for match in reason.matched] == [SHARK]
    assert reason.alternatives == []


def test_what_is_not_known_by_both_words_is_two_requests() -> None:
    planner, _ = planner_of(list(WORDS))
    worn = wearing(PIZZA, BLUE, DOTS)
    reasons = planner.plan("a shark and a red shirt", Picture(worn, worn @ planner.rows)).reasons
    assert [reason.text for reason in reasons] == ["a shark", "a red shirt"]
    found = after(planner, "a shark and a red shirt", worn)
    assert min(found[SHARK], found[RED]) > 0.5
    planner.index.labels[RED] = "shark red"  # one thing, of both words
    assert len(planner.plan("a shark and red shirt", Picture(worn, worn @ planner.rows)).reasons) == 1


def test_what_was_taken_out_is_not_taken_out_again() -> None:
    planner, _ = planner_of(WORDS)
    worn = wearing(SHARK, BLUE, DOTS)
    once = planner.plan("remove the head", Picture(worn, worn @ planner.rows))
    for again in ("remove the head. without the head", "remove the head, no shark"):
        twice = planner.plan(again, Picture(worn, worn @ planner.rows))
        assert twice.plan == once.plan
        assert [bool(reason.features) for reason in twice.reasons] == [True, False]
    # What found nothing to take out has emptied nothing.
    found = planner.plan("no zorblax head. remove the head", Picture(worn, worn @ planner.rows))
    assert found.plan == once.plan
    back = after(planner, "remove the head. make it a pizza", worn)
    assert back[PIZZA] > 0.5


def test_a_place_without_a_thing_names_things_for_it() -> None:
    planner, _ = planner_of(WORDS)
    worn = wearing(SHARK, BLUE, DOTS)
    made = planner.plan("give it a head", Picture(worn, worn @ planner.rows))
    assert made.plan.operations == []
    assert sorted(made.reasons[0].nearest) == ["lamp", "pizza", "shark"]


def test_a_swap_happens_where_the_old_thing_is() -> None:
    planner, _ = planner_of(WORDS)
    found = after(planner, "swap the stripes for dots", wearing(SHARK, BLUE, STRIPES))
    np.testing.assert_allclose(found, wearing(SHARK, BLUE, DOTS), atol=0.1)


def test_another_reader_reads_the_pieces_too() -> None:
    planner, _ = planner_of(WORDS)
    answers = {
        "a shark and a red shirt": Clause("a shark and a red shirt", "replace", ("shark", "red"), "body"),
        "a shark ": Clause("a shark", "replace", ("pizza",), "head"),
        " a red shirt": Clause("a red shirt", "replace", ("blue",), "body"),
    }
    planner.reader = lambda prompt, vocabulary: [answers[prompt]]
    assert [request.clause.words for request in planner.understand("a shark and a red shirt")] == [
        ("pizza",),
        ("blue",),
    ]


def test_what_a_reader_could_not_do_is_in_the_reasons() -> None:
    planner, _ = planner_of(WORDS)
    planner.reader = lambda prompt, vocabulary: [Clause(prompt, "replace", ("pizza",), "head", note="read by rule")]
    (reason,) = planner.plan("make it a pizza").reasons
    assert reason.note == "read by rule"


@pytest.mark.parametrize(("word", "form"), [("🦈", "NFC"), ("🦈", "NFD"), ("forêt", "NFD")])
def test_a_whole_label_of_any_script_can_be_asked_for(word: str, form: Literal["NFC", "NFD"]) -> None:
    planner, _ = planner_of([word, *WORDS[1:]])
    planner.atlas.label_texts[SHARK] = LabelText(f"{word} head, upper", f"{word} head", f"{word} head")
    (request,) = planner.understand(unicodedata.normalize(form, f"give it {word} head, upper"))
    assert (request.clause.words, request.clause.place) == ((word,), "head")


def test_the_reader_of_prompts_can_be_another() -> None:
    planner, _ = planner_of(WORDS)
    planner.reader = lambda prompt, vocabulary: [Clause(prompt, "replace", ("pizza",), "head")]
    assert after(planner, "surprise me", wearing(SHARK, BLUE, DOTS))[PIZZA] > 0.5
