"""Routes that encode, steer and edit a picture."""

import time
from typing import Annotated

from fastapi import FastAPI, File, Form, Request, Response, UploadFile

from serve import schemas
from serve.answers import PNG, json_response, png_response, session_header
from serve.engine import Engine
from serve.errors import ApiError
from serve.pictures import to_base64, to_png
from swiggle.data.pixels import encode_png, resize


def add_edit_routes(app: FastAPI, engine: Engine) -> None:
    @app.post("/v1/encode")
    async def encode(body: schemas.EncodeRequest) -> schemas.EncodeResponse:
        """The active features of a picture, strongest first, and a session for it."""
        session = await engine.session(body.image, body.session)
        activations = await engine.activations(session)
        return schemas.EncodeResponse(
            session=session.id,
            features=await engine.active(activations, body.limit),
            active=int((activations > 0).sum()),
            latent=session.latent.tolist() if body.latent else None,
        )

    @app.post("/v1/steer", response_model=schemas.SteerResponse, responses=PNG)
    async def steer(body: schemas.SteerRequest, request: Request) -> Response:
        """Apply a plan. With `Accept: image/png` or `format: png` the answer is the picture itself."""
        session = await engine.session(body.image, body.session)
        picture = await engine.steer(session, body.plan)
        if body.format == "png" or (body.format is None and "image/png" in request.headers.get("accept", "")):
            # Who sent a session has it already.
            return png_response(picture, None if body.session else session_header(session.id))
        answer = schemas.SteerResponse(image=to_base64(to_png(picture)), plan=body.plan, session=session.id)
        return json_response(answer)

    @app.post("/v1/edits", response_model=schemas.EditResponse, responses=PNG)
    async def edits(body: schemas.EditRequest, request: Request) -> Response:
        """Edit by prompt or plan. A prompt of unknown words answers the unedited reconstruction, an empty plan and
        the nearest labels."""
        picture, response = await engine.edit(body)
        if "image/png" in request.headers.get("accept", ""):
            return png_response(picture, session_header(response.session))
        response.image = to_base64(to_png(picture))
        return json_response(response)

    @app.post("/v1/images/edits")
    async def images_edits(
        image: Annotated[UploadFile, File()],
        prompt: Annotated[str, Form(min_length=1, max_length=schemas.MAX_PROMPT, examples=["make it a shark"])],
        n: Annotated[int, Form(ge=1, le=10, examples=[1])] = 1,
        size: Annotated[str, Form(pattern=r"^(auto|[1-9]\d{1,3}x[1-9]\d{1,3})$", examples=["256x256"])] = "auto",
        response_format: Annotated[str, Form(pattern="^b64_json$", examples=["b64_json"])] = "b64_json",
        model: Annotated[str | None, Form(max_length=200, examples=["swiggle"])] = None,
    ) -> schemas.ImagesResponse:
        """The OpenAI Images API. An edit has one result, so `n` pictures are the same."""
        session = await engine.open(await image.read())
        made = await engine.plan(prompt, session, await engine.activations(session))
        picture = await engine.steer(session, made.plan)
        png = to_png(picture)
        if size != "auto":
            width, height = (int(side) for side in size.split("x"))
            if width != height or width > 4096:
                raise ApiError(400, "invalid_size", "pictures are square, 4096x4096 at most", "size")
            png = encode_png(resize(picture, width))
        return schemas.ImagesResponse(
            created=int(time.time()), data=[schemas.GeneratedImage(b64_json=to_base64(png))] * n
        )
