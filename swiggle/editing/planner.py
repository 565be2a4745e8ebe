"""From a prompt to an EditPlan: what it means (`swiggle.prompts.understanding`), then what that takes in one picture
(`composer.py`). Labels alone decide which features a word means, and so what is asked for."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.index import LabelIndex
from swiggle.editing.class_mean_composer import composer_for
from swiggle.editing.composer import Composer, Picture, PromptPlan
from swiggle.prompts.clauses import read_clauses
from swiggle.prompts.endpoint_reader import Reader
from swiggle.prompts.understanding import PromptReader, Request


@dataclass
class Planner:
    """Plans edits with one atlas, its label index and the dictionary's decoder rows [features, latent_dim]."""

    atlas: Atlas
    index: LabelIndex
    rows: np.ndarray
    reader: Reader = read_clauses
    """What turns a prompt into clauses."""
    dictionary: str | None = None
    """The id that plans name."""

    def plan(self, prompt: str, picture: Picture | None = None) -> PromptPlan:
        """The plan for a prompt on a picture; without a picture, one that takes out what usually stands in the way."""
        return self.composer.compose(self.understand(prompt), picture)

    def understand(self, prompt: str) -> list[Request]:
        """What a prompt asks for, and the features that it means; the same for every picture."""
        return self._prompts.understand(prompt)

    @cached_property
    def _prompts(self) -> PromptReader:
        return PromptReader(self.atlas, self.index, self.reader)

    @cached_property
    def composer(self) -> Composer:
        return composer_for(self.atlas, self.rows, self.dictionary)
