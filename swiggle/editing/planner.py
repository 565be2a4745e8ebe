"""From a prompt to an EditPlan, by retrieving features through their labels.

For each request the label index gives the features whose label means what was said: the *seeds* (`retrieval.py`). From
these a plan is composed for one picture (`composer.py`). Labels alone decide which features a word means, and so what
is asked for.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.index import LabelIndex
from swiggle.editing.clauses import read_clauses
from swiggle.editing.composer import GROUP, Composer, Picture, PromptPlan, Request
from swiggle.editing.endpoint_reader import Reader
from swiggle.editing.retrieval import retrieve


@dataclass
class Planner:
    """Plans edits with one atlas, its label index and the dictionary's decoder rows [features, latent_dim]."""

    atlas: Atlas
    index: LabelIndex
    rows: np.ndarray
    group: int = GROUP
    reader: Reader = read_clauses
    """What turns a prompt into clauses."""

    def plan(self, prompt: str, picture: Picture | None = None) -> PromptPlan:
        """The plan for a prompt on a picture; without a picture, one that takes out what usually stands in the way."""
        return self.composer.compose(self.understand(prompt), picture)

    def understand(self, prompt: str) -> list[Request]:
        """What a prompt asks for, and the features that it means; the same for every picture."""
        vocabulary = self.atlas.vocabulary
        clauses = self.reader(prompt, vocabulary)
        return [Request(clause, retrieve(self.index, vocabulary, clause)) for clause in clauses]

    @cached_property
    def composer(self) -> Composer:
        return Composer(self.atlas, self.rows, self.group)
