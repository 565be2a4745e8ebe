"""What the routes do, over the handles of the graph's parts."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from cachetools import Cache, LRUCache

from serve.parts.pictures import received, received_text
from serve.parts.sessions import Session, Sessions
from serve.routes import schemas
from serve.routes.listing import row_with
from serve.runtime.api_errors import ApiError
from serve.runtime.prometheus import phase, planned
from swiggle.atlas.atlas import Atlas
from swiggle.atlas.hand_labels import HandLabels
from swiggle.editing.composer import PromptPlan, Reason
from swiggle.editing.plan import EditPlan, OtherDictionary
from swiggle.manifest import dictionary_of, ground_of
from swiggle.prompts.understanding import Request

log = logging.getLogger("ray.serve.swiggle")
_LABELS_FOR_SECONDS = 1.0
_WAIT_FOR_LABELS = 0.5
"""Seconds. Retrieval that takes longer is being replaced, and meanwhile nobody writes labels."""


@dataclass
class Engine:
    """`encoder`, `sparse`, `steering`, `composing` and `retrieval` are handles: Serve's, or `LocalHandle`s."""

    atlas: Atlas
    manifest: dict[str, Any]
    image_size: int
    encoder: Any
    sparse: Any
    steering: Any
    composing: Any
    retrieval: Any
    sessions: Sessions
    understood: Cache[str, list[Request]] = field(default_factory=lambda: LRUCache(4096))
    """What prompts ask for, until a label is written by hand."""
    hand: HandLabels = field(default_factory=HandLabels)
    """The labels by hand, as they were read last."""
    _by_hand: Mapping[int, str] = field(default_factory=dict)
    _read_at: float = -1e9  # before they were first read
    _reading: asyncio.Task[None] | None = None

    async def session(self, image: str | None, session: str | None) -> Session:
        """The session that a request names, or a new one for its picture."""
        if session is not None:
            return self.sessions.get(session)
        assert image is not None
        with phase("encode"):
            picture = await received_text(image, self.image_size, self.ground)
            return self.sessions.open(await self.encoder.encode.remote(picture))

    async def open(self, content: bytes, param: str = "image") -> Session:
        """A session for the bytes of a PNG, JPEG or WebP file. Errors name the parameter."""
        with phase("encode"):
            picture = await received(content, self.image_size, self.ground, param)
            return self.sessions.open(await self.encoder.encode.remote(picture))

    async def activations(self, session: Session) -> np.ndarray:
        """The activations float32 [features] of a session's picture."""
        return await self.sparse.activate.remote(session.latent)

    async def steer(self, session: Session, plan: EditPlan) -> np.ndarray:
        """The edited picture uint8 [S, S, 3]. Raises `ApiError` 422 for a plan that does not fit."""
        try:
            plan.check(self.dictionary)
        except OtherDictionary as error:
            raise ApiError(422, "other_dictionary", str(error), "plan.dictionary") from error
        for number, operation in enumerate(plan.operations):
            if operation.feature >= len(self.atlas):
                message = f"there is no feature {operation.feature}, only 0 to {len(self.atlas) - 1}"
                raise ApiError(422, "invalid_plan", message, f"plan.operations.{number}.feature")
        with phase("steer"):
            return await self.steering.steer.remote(session.latent, plan, await self._sources(plan))

    async def plan(self, prompt: str, session: Session, activations: np.ndarray) -> PromptPlan:
        """The plan for a prompt on a session's picture, which has these activations."""
        with phase("plan"):
            requests = await self._understand(prompt)
            made: PromptPlan = await self.composing.compose.remote(requests, activations, session.latent)
        planned(made)
        return made

    async def _understand(self, prompt: str) -> list[Request]:
        await self.by_hand()  # another Gateway may have written a label that changes what is meant
        requests = self.understood.get(prompt)
        if requests is None:
            labels = self._by_hand
            requests = await self.retrieval.understand.remote(prompt)
            if self._by_hand is labels:  # else one was written meanwhile
                self.understood[prompt] = requests
        return requests

    async def _sources(self, plan: EditPlan) -> dict[str, np.ndarray]:
        """Activations of the pictures that swaps copy from, each a session or a picture."""
        found: dict[str, np.ndarray] = {}
        for name in {o.source for o in plan.operations if o.source is not None}:
            known = self.sessions.names(name)
            source = await self.session(None if known else name, name if known else None)
            found[name] = await self.activations(source)
        return found

    async def labels(self) -> list[str]:
        """Every feature's label, hand labels in place of automatic ones."""
        labels = list(self.atlas.labels)
        for feature, label in (await self.by_hand()).items():
            labels[feature] = label
        return labels

    async def by_hand(self) -> Mapping[int, str]:
        """The hand labels, as they were a second ago at the latest, or when Retrieval last answered."""
        if (reading := self._reread()) is not None:
            known = self._read_at > 0
            await asyncio.wait({reading}, timeout=_WAIT_FOR_LABELS if known else None)
        return self._by_hand

    def _reread(self) -> asyncio.Task[None] | None:
        """The reading of hand labels that is under way, begun if it is time to; None if they are known."""
        if time.monotonic() - self._read_at <= _LABELS_FOR_SECONDS:
            return None
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_labels())
        return self._reading

    async def _read_labels(self) -> None:
        known = self.hand
        try:
            found = await self.retrieval.labels.remote()
        except ApiError as error:  # retrieval is away: what was known last serves until it is back
            log.warning("hand labels were not read: %s", error)
            found = known
        if self.hand is known:  # else some were written meanwhile
            self.keep_labels(found)

    def keep_labels(self, hand: HandLabels) -> None:
        if hand != self.hand:
            self.hand, self._by_hand = hand, hand.labels
            self.understood.clear()
        self._read_at = time.monotonic()

    async def active(self, activations: np.ndarray, limit: int = 64) -> list[schemas.ActiveFeature]:
        """The active features of a picture, strongest first."""
        labels = await self.labels()
        active = np.flatnonzero(activations > 0)
        order = active[np.argsort(-activations[active], kind="stable")[:limit]].tolist()
        unit = self.atlas.mean_activation
        return [
            schemas.ActiveFeature(
                id=i,
                label=labels[i],
                activation=float(activations[i]),
                strength=float(activations[i]) / max(float(unit[i]), 1e-12),
            )
            for i in order
        ]

    @cached_property
    def ground(self) -> str:
        """What transparent pictures are laid on, as those were that the bundle was trained on."""
        return ground_of(self.manifest)

    @property
    def dictionary(self) -> str:
        """The id of the bundle's dictionary."""
        return dictionary_of(self.manifest)

    def check_dictionary(self, named: str | None) -> None:
        """Raises `ApiError` 422 for labels that are of another dictionary."""
        if named not in (None, self.dictionary):
            message = (
                f"these labels are of dictionary {named}, and this bundle has another dictionary, {self.dictionary}"
            )
            raise ApiError(422, "other_dictionary", message, "dictionary")

    def check_feature(self, feature: int) -> int:
        if not 0 <= feature < len(self.atlas):
            message = f"there is no feature {feature}, only 0 to {len(self.atlas) - 1}"
            raise ApiError(404, "feature_not_found", message, "feature")
        return feature

    async def features(self, ids: list[int]) -> list[dict[str, Any]]:
        """Rows of the feature list, as in `schemas.Feature`."""
        by_hand = await self.by_hand()
        rows = (
            self.atlas.table.select(list(schemas.Feature.model_fields)).take(np.array(ids, dtype=np.int64)).to_pylist()
        )
        return [row_with(row, by_hand[row["id"]], self.atlas) if row["id"] in by_hand else row for row in rows]

    async def card(self, feature: int, company: int = 8) -> schemas.FeatureCard:
        """One feature in full."""
        labels = await self.labels()
        row = (await self.features([feature]))[0]
        further = schemas.FeatureCard.model_fields.keys() - row.keys() - {"company", "revision"}
        row |= self.atlas.table.select(list(further)).take([feature]).to_pylist()[0]
        ids, there = self.atlas.coactive_with(feature)
        strengths = np.where(ids == feature, 0.0, there / np.maximum(self.atlas.mean_activation[ids], 1e-12))
        near = [int(i) for i in np.argsort(-strengths, kind="stable")[:company] if strengths[i] > 0]
        found = [
            schemas.MatchedLabel(feature=int(ids[i]), label=labels[ids[i]], score=float(strengths[i])) for i in near
        ]
        return schemas.FeatureCard(**row, company=found, revision=self.hand.revision)

    async def edit(self, request: schemas.EditRequest) -> tuple[np.ndarray, schemas.EditResponse]:
        """Plan, if a prompt is given, and apply. The picture is uint8 [S, S, 3]; the response has none yet."""
        start = time.perf_counter()
        self._reread()  # while the picture is encoded
        session = await self.session(request.image, request.session)
        before = await self.activations(session)
        encoded = time.perf_counter()
        plan, reasons = request.plan, []
        if request.prompt is not None:
            made = await self.plan(request.prompt, session, before)
            plan = scaled(made.plan, request.strength)
            reasons = [_shown(reason) for reason in made.reasons]
        assert plan is not None
        planned = time.perf_counter()
        picture = await self.steer(session, plan)
        steered = time.perf_counter()
        after = await self.sparse.activate.remote(self.encoder.encode.remote(picture))
        labels = await self.labels()
        response = schemas.EditResponse(
            image="",
            plan=plan,
            session=session.id,
            features_before=await self.active(before),
            features_after=await self.active(after),
            labels={o.feature: labels[o.feature] for o in plan.operations},
            reasons=reasons,
            timing={
                "encode": 1e3 * (encoded - start),
                "plan": 1e3 * (planned - encoded),
                "steer": 1e3 * (steered - planned),
            },
        )
        return picture, response


def _shown(reason: Reason) -> schemas.RequestReason:
    return schemas.RequestReason(
        text=reason.text,
        action=reason.action,
        matched=[schemas.MatchedLabel(feature=m.feature, label=m.label, score=m.score) for m in reason.matched],
        features=reason.features,
        nearest=reason.nearest,
        alternatives=reason.alternatives,
        note=reason.note,
    )


def scaled(plan: EditPlan, strength: float) -> EditPlan:
    """The plan with its raised strengths multiplied; what it lowers stays."""
    if strength == 1.0:
        return plan
    raised = ("add", "set")
    return EditPlan(
        dictionary=plan.dictionary,
        operations=[
            o.model_copy(update={"strength": round(o.strength * strength, 4)}) if o.op in raised else o
            for o in plan.operations
        ],
    )
