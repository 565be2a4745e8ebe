"""Requests and responses on the wire."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from swiggle.atlas.hand_labels import MAX_LENGTH
from swiggle.editing.plan import EditPlan

MAX_PROMPT = 1_000
MAX_FEATURES = 65_536
"""Of a dictionary."""
PictureField = Field(default=None, description="PNG, JPEG or WebP as a data URL or base64", max_length=36_000_000)
SessionField = Field(default=None, description="a `session` from an earlier answer, in place of the picture")
Prompt = Field(default=None, min_length=1, max_length=MAX_PROMPT)
_EXAMPLE_PLAN: dict[str, Any] = {
    "version": 1,
    "operations": [{"op": "set", "feature": 176, "strength": 1.5, "mask": None}],
}


class PictureRequest(BaseModel):
    """A picture, new or known."""

    model_config = ConfigDict(extra="forbid")

    image: str | None = PictureField
    session: str | None = SessionField

    @model_validator(mode="after")
    def _one_picture(self) -> "PictureRequest":
        if (self.image is None) == (self.session is None):
            raise ValueError("give either `image` or `session`")
        return self


class EncodeRequest(PictureRequest):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"image": "data:image/png;base64,…", "limit": 5}]}
    )

    latent: bool = Field(default=False, description="answer the latent too")
    limit: int = Field(default=64, ge=1, le=MAX_FEATURES, description="active features at most")


class SteerRequest(PictureRequest):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"session": "…", "plan": _EXAMPLE_PLAN}]})

    plan: EditPlan
    format: str | None = Field(default=None, pattern="^(json|png)$")


class StreamId(BaseModel):
    """What tells the answers on a WebSocket apart."""

    id: int | Annotated[str, Field(max_length=100)]


class StreamRequest(PictureRequest, StreamId):
    """One message on the WebSocket of a moving slider."""

    model_config = ConfigDict(extra="forbid")

    plan: EditPlan


class EditRequest(PictureRequest):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"image": "data:image/png;base64,…", "prompt": "make it a shark"}]},
    )

    prompt: str | None = Prompt
    plan: EditPlan | None = None
    strength: FiniteFloat = Field(default=1.0, ge=0.0, le=10.0, description="multiplies every raised strength")

    @model_validator(mode="after")
    def _one_instruction(self) -> "EditRequest":
        if (self.prompt is None) == (self.plan is None):
            raise ValueError("give either `prompt` or `plan`")
        return self


class ActiveFeature(BaseModel):
    id: int
    label: str
    activation: float
    strength: float = Field(description="activation in units of the feature's mean activation where active")


class EncodeResponse(BaseModel):
    session: str
    features: list[ActiveFeature]
    active: int = Field(description="how many features are active in all")
    latent: list[Any] | None = None


class SteerResponse(BaseModel):
    image: str = Field(description="base64 PNG")
    plan: EditPlan
    session: str


class MatchedLabel(BaseModel):
    feature: int
    label: str
    score: float


class RequestReason(BaseModel):
    """What one request of the prompt was understood as."""

    text: str
    action: str
    matched: list[MatchedLabel]
    features: list[int]
    nearest: list[str] = Field(description="labels that come closest, where nothing matched")
    alternatives: list[str] = Field(default=[], description="other labels that might have been meant")
    note: str = Field(
        default="", description="what whoever read the prompt could not do, as a language model that failed"
    )


class EditResponse(SteerResponse):
    features_before: list[ActiveFeature]
    features_after: list[ActiveFeature]
    labels: dict[int, str] = Field(description="labels of the plan's features")
    reasons: list[RequestReason]
    timing: dict[str, float] = Field(description="milliseconds of each phase")


class Feature(BaseModel):
    """A feature in a list."""

    id: int
    label: str
    source: str
    confidence: float
    density: float
    dead: bool
    place: str | None = Field(description="what its label is found by is said of this place")
    acts_on: str | None = Field(description="the place whose pixels it changes most")
    mean_activation: float
    max_activation: float
    x: float
    y: float
    group: str = Field(description="named group of features that the feature belongs to")
    slider_low: float = Field(description="strengths from slider_low to slider_high look natural")
    slider_high: float


class FeatureCard(Feature):
    """One feature in full."""

    precision: float
    recall: float
    threshold: float
    example_ids: list[int]
    example_activations: list[float]
    company: list[MatchedLabel] = Field(description="features that are strong where this one is, by natural strength")
    nearest: list[int] = Field(description="features of the most similar direction, nearest first")
    quantile_example_ids: list[int] = Field(
        description="pictures from the strongest to the weakest activation, evenly by rank"
    )
    revision: int = Field(description="of the hand labels when this was read; send it back with a change")
    histogram: list[int] = Field(
        description="active pictures by activation / max_activation, 20 equal bins from 0 to 1"
    )


class FeatureList(BaseModel):
    features: list[Feature]
    total: int


class SearchHit(Feature):
    score: float


class SearchResponse(BaseModel):
    features: list[SearchHit]
    total: int


class PictureId(BaseModel):
    id: int = Field(examples=[3])


OfDictionary = Field(default=None, max_length=64, description="the id of the dictionary that is labelled")
SeenRevision = Field(
    default=None, ge=0, description="of the hand labels, when they were read; what was changed since is not overwritten"
)


class LabelBody(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"label": "pirate ship head"}]})

    label: str | None = Field(max_length=MAX_LENGTH, description="null takes the hand label back")
    dictionary: str | None = OfDictionary
    revision: int | None = SeenRevision


class LabelList(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"labels": {"3": "pirate ship head", "176": "red glasses"}}]}
    )

    labels: dict[int, Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]]
    dictionary: str | None = OfDictionary
    revision: int | None = SeenRevision


class ModelCard(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "swiggle"


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelCard]


class GeneratedImage(BaseModel):
    b64_json: str


class ImagesResponse(BaseModel):
    created: int
    data: list[GeneratedImage]
