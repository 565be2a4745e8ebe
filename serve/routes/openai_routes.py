"""What OpenAI's clients ask for: the Images API, and the list of models."""

import io
import time
from typing import Annotated

import numpy as np
from fastapi import FastAPI, Request
from fastapi import Path as PathParameter
from PIL import Image

from serve.parts.engine import Engine
from serve.parts.masks import blended, check_mask, opacity
from serve.parts.pictures import OUTPUT_SIZE, in_turn, to_base64, to_png
from serve.routes import schemas
from serve.routes.openai_form import EditForm, EditParameters, described, read_edit_form
from serve.runtime.api_errors import ApiError
from swiggle.data.pixels import encode_png, resize
from swiggle.editing.plan import EditPlan

MODEL = "swiggle"


def add_openai_routes(app: FastAPI, engine: Engine) -> None:
    card = schemas.ModelCard(id=MODEL, created=int(time.time()))

    @app.get("/v1/models")
    async def models() -> schemas.ModelList:
        """The one model that is served, as the OpenAI API lists models; `/v1/model` tells what it is."""
        return schemas.ModelList(data=[card])

    @app.get("/v1/models/{model}")
    async def model(model: Annotated[str, PathParameter(max_length=200, examples=[MODEL])]) -> schemas.ModelCard:
        """That model by its name."""
        if model != MODEL:
            raise ApiError(404, "model_not_found", f"there is no model {model!r}, only {MODEL!r}", "model")
        return card

    @app.post("/v1/images/edits", openapi_extra=described())
    async def images_edits(request: Request) -> schemas.ImagesResponse:
        """The OpenAI Images API. `mask` is a PNG of the picture's size, transparent where the edit may act."""
        form = await read_edit_form(request)
        asked = form.parameters
        session = await engine.open(form.image, form.image_name)
        if form.mask is not None:
            await in_turn(form.image, check_mask, form.mask, form.image)
        made = await engine.plan(asked.prompt, session, await engine.activations(session))
        picture = await engine.steer(session, made.plan)
        if form.mask is None and asked.side is None and asked.output_format == "png":
            content = to_png(picture)
        else:
            plain = picture if form.mask is None else await engine.steer(session, EditPlan())
            content = await in_turn(form.mask or b"", _finished, picture, plain, form)
        answered = schemas.GeneratedImage(b64_json=to_base64(content))
        return schemas.ImagesResponse(created=int(time.time()), data=[answered] * asked.n)


def _finished(edited: np.ndarray, plain: np.ndarray, form: EditForm) -> bytes:
    """The file that a form asks for, of an edited picture and the same unedited, both uint8 [S, S, 3]."""
    side = form.parameters.side or max(OUTPUT_SIZE, edited.shape[0])
    picture = resize(edited, side)
    if form.mask is not None:
        picture = blended(picture, resize(plain, side), opacity(form.mask, form.image, side))
    return _encoded(picture, form.parameters)


def _encoded(picture: np.ndarray, asked: EditParameters) -> bytes:
    if asked.output_format == "png":
        return encode_png(picture)
    stream = io.BytesIO()
    quality = 100 if asked.output_compression is None else asked.output_compression
    Image.fromarray(picture).save(stream, asked.output_format, quality=quality)
    return stream.getvalue()
