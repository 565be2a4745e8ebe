"""The HTTP interface: routes over an `Engine`. Plain FastAPI; Serve is not needed to run or test it."""

import os
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, File, Form, Query, Request, Response, UploadFile
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

import swiggle
from serve import schemas
from serve.engine import Engine
from serve.errors import ApiError, add_error_handlers
from serve.limits import BearerAuth, BodyLimit
from serve.pictures import picture_from_bytes, to_base64, to_png
from swiggle.data.pixels import decode_picture, encode_png, resize
from swiggle.editing.plan import EditPlan, Operation

STATIC = Path(__file__).parent / "static"
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}
FeatureId = Annotated[int, PathParameter(ge=0, lt=2**31, description="a feature's number")]


def png_response(picture: np.ndarray, headers: dict[str, str] | None = None) -> Response:
    return Response(to_png(picture), media_type="image/png", headers=headers)


def grid(pictures: list[np.ndarray], columns: int = 3) -> np.ndarray:
    """Pictures [S, S, 3] of one size, side by side in rows, with white in what is left over."""
    size = pictures[0].shape[0]
    blank = np.full_like(pictures[0], 255)
    padded = pictures + [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(padded[i : i + columns], axis=1) for i in range(0, len(padded), columns)]
    sheet = np.concatenate(rows)
    factor = max(1, 128 // size)
    return sheet.repeat(factor, axis=0).repeat(factor, axis=1)


def create_api(engine: Engine) -> FastAPI:
    """The application. With SWIGGLE_API_KEY set, /v1 asks for it."""
    app = FastAPI(title="Swiggle", version=swiggle.__version__, description=__doc__)
    add_error_handlers(app)
    if key := os.environ.get("SWIGGLE_API_KEY"):
        app.add_middleware(BearerAuth, key=key)
    app.add_middleware(BodyLimit)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    add_edit_routes(app, engine)
    add_feature_routes(app, engine)

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        """Answers once a picture can really be encoded and decoded."""
        blank = np.zeros((engine.image_size, engine.image_size, 3), np.uint8)
        await engine.steering.steer.remote(engine.encoder.encode.remote(blank), EditPlan(), {})
        return {"status": "ok"}

    @app.get("/v1/model")
    async def model() -> dict[str, Any]:
        """The bundle's manifest: settings, metrics and content hashes."""
        sizes = {"features": len(engine.atlas), "samples": len(engine.atlas.samples)}
        return {"image_size": engine.image_size, **sizes, **engine.manifest}

    @app.get("/v1/samples/{index}.png", responses=PNG, response_class=Response)
    async def sample(index: Annotated[int, PathParameter(ge=0, lt=2**31)]) -> Response:
        """A held-out picture to start from."""
        samples = engine.atlas.samples
        if index >= len(samples):
            raise ApiError(404, "sample_not_found", f"there are {len(samples)} samples", "index")
        return png_response(decode_picture(engine.atlas.pictures[samples[index]]))

    return app


def add_edit_routes(app: FastAPI, engine: Engine) -> None:
    @app.post("/v1/encode")
    async def encode(body: schemas.EncodeRequest) -> schemas.EncodeResponse:
        """The active features of a picture, strongest first, and a session for it."""
        session = await engine.session(body.image, body.session)
        latent = (await session.latent).tolist() if body.latent else None
        return schemas.EncodeResponse(
            session=session.id,
            features=await engine.active(session.activations, body.limit),
            active=int((session.activations > 0).sum()),
            latent=latent,
        )

    @app.post("/v1/steer", response_model=schemas.SteerResponse, responses=PNG)
    async def steer(body: schemas.SteerRequest, request: Request) -> Response | schemas.SteerResponse:
        """Apply a plan. With `Accept: image/png` or `format: png` the answer is the picture itself."""
        session = await engine.session(body.image, body.session)
        picture = await engine.steer(session, body.plan)
        if body.format == "png" or (body.format is None and "image/png" in request.headers.get("accept", "")):
            return png_response(picture, {"X-Swiggle-Session": session.id})
        return schemas.SteerResponse(image=to_base64(to_png(picture)), plan=body.plan, session=session.id)

    @app.post("/v1/edits", response_model=schemas.EditResponse, responses=PNG)
    async def edits(body: schemas.EditRequest, request: Request) -> Response | schemas.EditResponse:
        """Edit by prompt or plan. A prompt of unknown words answers the unedited reconstruction, an empty plan and
        the nearest labels."""
        picture, response = await engine.edit(body)
        if "image/png" in request.headers.get("accept", ""):
            return png_response(picture, {"X-Swiggle-Session": response.session})
        response.image = to_base64(to_png(picture))
        return response

    @app.post("/v1/images/edits")
    async def images_edits(
        image: Annotated[UploadFile, File()],
        prompt: Annotated[str, Form(min_length=1, max_length=schemas.MAX_PROMPT)],
        n: Annotated[int, Form(ge=1, le=10)] = 1,
        size: Annotated[str, Form(pattern=r"^(auto|[1-9]\d{1,3}x[1-9]\d{1,3})$")] = "auto",
        response_format: Annotated[str, Form(pattern="^b64_json$")] = "b64_json",
        model: Annotated[str | None, Form(max_length=200)] = None,
    ) -> schemas.ImagesResponse:
        """The OpenAI Images API. An edit has one result, so `n` pictures are the same."""
        session = await engine.open(picture_from_bytes(await image.read(), engine.image_size))
        made = await engine.plan(prompt, session)
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


def add_feature_routes(app: FastAPI, engine: Engine) -> None:
    @app.get("/v1/features")
    async def features(
        limit: Annotated[int, Query(ge=1, le=2048)] = 100,
        offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
        place: Annotated[str | None, Query(max_length=100)] = None,
        source: Annotated[str | None, Query(pattern="^(caption|hand|unexplained)$")] = None,
        dead: bool | None = None,
    ) -> schemas.FeatureList:
        """List and filter."""
        rows = await engine.features(list(range(len(engine.atlas))))
        kept = [
            row
            for row in rows
            if (place is None or row["place"] == place)
            and (source is None or row["source"] == source)
            and (dead is None or row["dead"] == dead)
        ]
        shown = [schemas.Feature(**row) for row in kept[offset : offset + limit]]
        return schemas.FeatureList(features=shown, total=len(kept))

    @app.get("/v1/features/search")
    async def search(
        query: Annotated[str, Query(min_length=1, max_length=schemas.MAX_PROMPT)],
        limit: Annotated[int, Query(ge=1, le=200)] = 20,
    ) -> schemas.SearchResponse:
        """Features by the meaning of their labels."""
        matches = await engine.retrieval.search.remote(query, limit)
        rows = await engine.features([match.feature for match in matches])
        hits = [schemas.SearchHit(**row, score=match.score) for row, match in zip(rows, matches, strict=True)]
        return schemas.SearchResponse(features=hits, total=len(hits))

    @app.get("/v1/features/{feature}")
    async def card(feature: FeatureId) -> schemas.FeatureCard:
        """One feature in full."""
        return await engine.card(engine.check_feature(feature))

    @app.get("/v1/features/{feature}/preview.png", responses=PNG, response_class=Response)
    async def preview(
        feature: FeatureId, kind: Annotated[str, Query(pattern="^(natural|one_hot)$")] = "natural"
    ) -> Response:
        """The feature decoded alone: at its mean activation (`natural`), or at activation 1 (`one_hot`)."""
        return png_response(decode_picture(engine.atlas.png(engine.check_feature(feature), kind)))

    def example_pictures(feature: int) -> list[np.ndarray]:
        ids = engine.atlas.example_ids[engine.check_feature(feature)]
        if not ids:
            raise ApiError(404, "no_examples", f"feature {feature} fires on no picture", "feature")
        return [resize(decode_picture(engine.atlas.pictures[i]), engine.image_size) for i in ids]

    @app.get("/v1/features/{feature}/examples.png", responses=PNG, response_class=Response)
    async def examples(feature: FeatureId) -> Response:
        """The pictures in which the feature is strongest, row by row."""
        return png_response(grid(example_pictures(feature)))

    @app.get("/v1/features/{feature}/ablation.png", responses=PNG, response_class=Response)
    async def ablation(feature: FeatureId) -> Response:
        """The same pictures, decoded without the feature."""
        plan = EditPlan(operations=[Operation(op="ablate", feature=feature)])
        latents = [engine.encoder.encode.remote(picture) for picture in example_pictures(feature)]
        return png_response(grid([await engine.steering.steer.remote(latent, plan, {}) for latent in latents]))

    @app.put("/v1/features/{feature}/label")
    async def put_label(feature: FeatureId, body: schemas.LabelBody) -> schemas.FeatureCard:
        """Label by hand; search sees it at once. Null takes the hand label back."""
        label = body.label.strip() if body.label else None
        engine.keep_labels(await engine.retrieval.put_labels.remote({engine.check_feature(feature): label or None}))
        return await engine.card(feature)

    @app.get("/v1/labels")
    async def labels() -> schemas.LabelList:
        """All hand labels."""
        return schemas.LabelList(labels=dict(await engine.retrieval.labels.remote()))

    @app.put("/v1/labels")
    async def put_labels(body: schemas.LabelList) -> schemas.LabelList:
        """Import hand labels; features not named keep theirs."""
        for feature in body.labels:
            engine.check_feature(feature)
        engine.keep_labels(await engine.retrieval.put_labels.remote(dict(body.labels)))
        return schemas.LabelList(labels=dict(await engine.by_hand()))
