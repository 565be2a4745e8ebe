"""Whatever happens to hand labels, search answers as an index freshly built from them would."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import swiggle.atlas.index as module
from serve.parts.retrieval_part import RetrievalPart
from swiggle.atlas.entries import hand_entries, made_entries
from swiggle.atlas.hand_labels import HandLabelFile
from swiggle.atlas.index import Match
from tests.serve.label_bundle import FEATURES, WORDS, Encoder, FakeBundle


class Labels(RuleBasedStateMachine):
    """Up to two servers on one bundle; `truth` is what its hand labels should be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.dictionary = "a" * 16
        self.truth: dict[int, str] = {}
        self.servers = [self._server()]

    def _server(self) -> RetrievalPart:
        bundle: Any = FakeBundle(self.folder, self.dictionary)
        return RetrievalPart(bundle)

    @rule(which=st.integers(0, 1), feature=st.integers(0, FEATURES - 1), word=st.sampled_from(WORDS))
    def label(self, which: int, feature: int, word: str) -> None:
        self.servers[which % len(self.servers)].put_labels({feature: f"{word} head"})
        self.truth[feature] = f"{word} head"

    @rule(which=st.integers(0, 1), feature=st.integers(0, FEATURES - 1))
    def unlabel(self, which: int, feature: int) -> None:
        self.servers[which % len(self.servers)].put_labels({feature: None})
        self.truth.pop(feature, None)

    @rule(labels=st.dictionaries(st.integers(0, FEATURES - 1), st.sampled_from(WORDS), min_size=1))
    def import_beside(self, labels: dict[int, str]) -> None:
        """`jobs.labels import`, another process, while servers run."""
        HandLabelFile(self.folder, self.dictionary).change(dict(labels))
        self.truth |= labels

    @rule(which=st.integers(0, 1))
    def restart(self, which: int) -> None:
        self.servers[which % len(self.servers)] = self._server()

    @precondition(lambda self: len(self.servers) == 1)
    @rule()
    def second_server(self) -> None:
        self.servers.append(self._server())

    @rule()
    def new_dictionary(self) -> None:
        """The bundle is trained again: every server is started again on it, and no old label applies."""
        self.dictionary = format((int(self.dictionary, 16) * 7 + 1) % 16**16, "016x")
        self.truth = {}
        self.servers = [self._server() for _ in self.servers]

    @invariant()
    def search_answers_as_a_fresh_index_would(self) -> None:
        atlas = FakeBundle(self.folder, self.dictionary).atlas
        for server in self.servers:
            assert server.labels().labels == self.truth
            for word in WORDS[:3]:
                assert told(server.search(word, FEATURES)) == told(fresh(atlas, self.truth, word))

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def fresh(atlas: Any, by_hand: dict[int, str], word: str) -> list[Match]:
    """The answer worked out from the labels alone, by comparing with all of them."""
    entries = {entry.feature: entry for entry in made_entries(atlas)}
    entries |= {entry.feature: entry for entry in hand_entries(by_hand, atlas.vocabulary)}
    vector = Encoder().encode([word])[0]
    scored = [(float(Encoder().encode([e.words])[0] @ vector), e) for e in entries.values()]
    return [Match(e.feature, e.label, e.place, score) for score, e in scored]


def told(matches: list[Match]) -> list[tuple[float, int, str, str | None]]:
    """Matches in order, to four digits: equal words score equally up to the rounding of a sum."""
    return sorted((-round(m.score, 4), m.feature, m.label, m.place) for m in matches)


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "text_encoder", Encoder)


TestLabels = Labels.TestCase
TestLabels.settings = settings(
    max_examples=20, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
pytestmark = pytest.mark.usefixtures("encoder")
