"""The HTTP interface: routes over an `Engine`. Plain FastAPI; Serve is not needed to run or test it."""

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Response
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

import swiggle
from serve.parts.engine import Engine
from serve.routes.edit_routes import add_edit_routes
from serve.routes.feature_routes import add_feature_routes
from serve.routes.openai_routes import add_openai_routes
from serve.routes.responses import PNG, png_response
from serve.routes.stream import add_stream_route
from serve.runtime.admission import Admission
from serve.runtime.api_errors import ApiError, add_error_handlers
from serve.runtime.guards import add_guards
from serve.runtime.limits import BodyLimit
from serve.runtime.prometheus import InFlight
from serve.runtime.request_ids import RequestIds
from swiggle.data.pixels import decode_picture
from swiggle.editing.plan import EditPlan

_DECODED_FOR = 1.0
"""Seconds for which a picture that was decoded shows that the next can be."""
STATIC = Path(__file__).parents[1] / "static"


def create_api(engine: Engine, answer_request_ids: bool = True) -> FastAPI:
    """The application. With SWIGGLE_API_KEY set, /v1 asks for it."""
    app = FastAPI(title="Swiggle", version=swiggle.__version__, description=__doc__)
    add_error_handlers(app)
    # The last is asked first: who may not ask takes nobody's place, and other pages may read why they were refused.
    app.add_middleware(BodyLimit)
    app.add_middleware(InFlight)
    app.add_middleware(Admission)
    add_guards(app)
    app.add_middleware(RequestIds, answer=answer_request_ids)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    add_edit_routes(app, engine)
    add_openai_routes(app, engine)
    add_stream_route(app, engine)
    add_feature_routes(app, engine)

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    decoded_at = -_DECODED_FOR

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        """Answers if a picture could be encoded and decoded less than a second ago, or can be now."""
        nonlocal decoded_at
        if time.monotonic() - decoded_at >= _DECODED_FOR:
            blank = np.zeros((engine.image_size, engine.image_size, 3), np.uint8)
            await engine.steering.steer.remote(engine.encoder.encode.remote(blank), EditPlan(), {})
            decoded_at = time.monotonic()
        return {"status": "ok"}

    @app.get("/v1/model")
    async def model() -> dict[str, Any]:
        """The bundle's manifest: settings, metrics and content hashes; `subject`, what it calls what pictures show."""
        sizes = {"features": len(engine.atlas), "samples": len(engine.atlas.samples)}
        about = {"subject": engine.atlas.vocabulary.subject, "dictionary": engine.dictionary}
        return {"image_size": engine.image_size, **about, **sizes, **engine.manifest}

    @app.get("/v1/samples/{index}.png", responses=PNG, response_class=Response)
    async def sample(index: Annotated[int, PathParameter(ge=0, lt=2**31, examples=[3])]) -> Response:
        """A held-out picture to start from."""
        samples = engine.atlas.samples
        if index >= len(samples):
            raise ApiError(404, "sample_not_found", f"there are {len(samples)} samples", "index")
        return png_response(decode_picture(engine.atlas.pictures[samples[index]]))

    return app
