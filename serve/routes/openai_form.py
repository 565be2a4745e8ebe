"""The form of OpenAI's `POST /v1/images/edits`: every parameter is honoured, or refused by its name.

https://platform.openai.com/docs/api-reference/images/createEdit
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from serve.routes.schemas import MAX_PROMPT
from serve.runtime.api_errors import ApiError, first_problem

LARGEST_SIDE = 4096
"""Pixels a side that an answer may have."""
_IMAGES = ("image", "image[]")
_FILES = (*_IMAGES, "mask")
Ignored = Annotated[str | None, Field(max_length=1000)]


class EditParameters(BaseModel):
    """The parameters beside the files. Those that say "without effect" cannot change what this model answers."""

    model_config = ConfigDict(extra="forbid")

    prompt: str = Field(min_length=1, max_length=MAX_PROMPT, examples=["make it a shark"])
    n: int = Field(default=1, ge=1, le=10, description="an edit has one result, so `n` pictures are the same")
    size: str = Field(default="auto", pattern=r"^(auto|[1-9]\d{1,3}x[1-9]\d{1,3})$", examples=["256x256"])
    model: str | None = Field(default=None, max_length=200, examples=["swiggle"], description="without effect")
    response_format: Literal["b64_json", "url"] = Field(default="b64_json", description="`url` is refused")
    output_format: Literal["png", "jpeg", "webp", "gif", "svg"] = Field(
        default="png", description="`gif` and `svg` are refused"
    )
    output_compression: int | None = Field(default=None, ge=0, le=100, description="quality of jpeg and webp")
    background: Literal["auto", "opaque", "transparent"] = Field(
        default="auto", description="`transparent` is refused: pictures have no alpha"
    )
    stream: bool = Field(default=False, description="true is refused")
    partial_images: int = Field(default=0, ge=0, le=3, description="refused above 0: nothing is streamed")
    quality: Literal["auto", "low", "medium", "high", "standard", "hd", "xhigh", "max"] = Field(
        default="auto", description="any but `auto` and `standard` is refused"
    )
    input_fidelity: Literal["low", "high"] = Field(default="low", description="`high` is refused")
    moderation: Literal["low", "auto"] = Field(default="auto", description="without effect")
    user: Ignored = Field(default=None, description="without effect")
    safety_identifier: Ignored = Field(default=None, description="without effect")

    @property
    def side(self) -> int | None:
        """Pixels a side of the answer; None where `size` leaves it to the model."""
        return None if self.size == "auto" else int(self.size.partition("x")[0])

    def check(self) -> None:
        """Raises `ApiError` 400 that names the first parameter which asks for what this server does not do."""
        no_quality = self.output_format == "png" and self.output_compression not in (None, 100)
        for name, unsupported, reason in (
            ("response_format", self.response_format == "url", "no picture is kept, so none has an address"),
            ("output_format", self.output_format in ("gif", "svg"), "only png, jpeg and webp are written"),
            ("output_compression", no_quality, "png loses nothing; ask for jpeg or webp"),
            ("background", self.background == "transparent", "pictures have no transparency"),
            ("stream", self.stream, "answers are not streamed"),
            ("quality", self.quality not in ("auto", "standard"), "this model has one quality; leave it to auto"),
            ("input_fidelity", self.input_fidelity == "high", "this model has one fidelity"),
            ("partial_images", self.partial_images > 0, "answers are not streamed"),
        ):
            if unsupported:
                raise unsupported_parameter(name, reason)
        if self.side is not None and (self.size != f"{self.side}x{self.side}" or self.side > LARGEST_SIDE):
            message = f"size: pictures are square, {LARGEST_SIDE}x{LARGEST_SIDE} at most"
            raise ApiError(400, "invalid_size", message, "size")


@dataclass(frozen=True)
class EditForm:
    """A form whose parameters can be honoured. `image_name` is what the client called its picture."""

    parameters: EditParameters
    image: bytes
    image_name: str
    mask: bytes | None


def unsupported_parameter(name: str, reason: str) -> ApiError:
    return ApiError(400, "unsupported_parameter", f"{name}: {reason}", name)


async def read_edit_form(request: Request) -> EditForm:
    """The form of a request. Raises `ApiError`: 400 for parameters that are unknown, given twice or ask for what this
    server does not do, 415 for another content type, 422 for values out of range."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    parsers = {"multipart/form-data": MultiPartParser, "application/x-www-form-urlencoded": FormParser}
    if kind not in parsers:
        raise ApiError(415, "unsupported_content_type", "send the picture and its parameters as multipart/form-data")
    try:
        form = await parsers[kind](request.headers, request.stream()).parse()
    except (MultiPartException, UnicodeError) as error:
        raise ApiError(400, "invalid_request", f"not a readable multipart form ({error})") from error
    try:
        return await _checked(form)
    finally:
        await form.close()


async def _checked(form: FormData) -> EditForm:
    known = {*EditParameters.model_fields, *_FILES}
    seen: set[str] = set()
    for name, _ in form.multi_items():
        if name not in known:
            raise unsupported_parameter(name, "this server knows no such parameter")
        kind = "image" if name in _IMAGES else name
        if kind in seen:
            raise unsupported_parameter(name, "one alone is taken, and more were given")
        seen.add(kind)
    if "image" not in seen:
        raise ApiError(422, "invalid_request", "image: a picture is needed", "image")
    try:
        parameters = EditParameters.model_validate({n: v for n, v in form.items() if n not in _FILES})
    except ValidationError as error:
        param, message = first_problem(error.errors())
        raise ApiError(422, "invalid_request", message, param) from error
    parameters.check()
    name = next(name for name in _IMAGES if name in form)
    mask = await _bytes("mask", form["mask"]) if "mask" in form else None
    return EditForm(parameters, await _bytes(name, form[name]), name, mask)


async def _bytes(name: str, value: UploadFile | str) -> bytes:
    if not isinstance(value, UploadFile):
        raise ApiError(422, "invalid_request", f"{name}: a file is expected", name)
    return await value.read()


def described() -> dict[str, Any]:
    """The form for the OpenAPI document."""
    schema = EditParameters.model_json_schema()
    files = {
        "image": {"type": "string", "format": "binary", "description": "PNG, JPEG or WebP; `image[]` means the same"},
        "mask": {
            "type": "string",
            "format": "binary",
            "description": "a PNG of the picture's size; the edit acts where it is transparent",
        },
    }
    schema["properties"] = files | schema["properties"]
    schema["required"] = ["image", *schema["required"]]
    # The name of a file stands for the file.
    schema["examples"] = [{"image": "picture.png", "prompt": "make it a shark", "size": "256x256", "model": "swiggle"}]
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
