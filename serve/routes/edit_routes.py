"""Routes that encode, steer and edit a picture."""

from fastapi import FastAPI, Request, Response

from serve.parts.engine import Engine
from serve.parts.pictures import to_base64, to_png
from serve.routes import schemas
from serve.routes.responses import PNG, json_response, png_response, session_header


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
