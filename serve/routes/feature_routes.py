"""Routes about features: lists, cards, pictures, search and labels."""

import asyncio
import secrets
import threading
from functools import cache
from typing import Annotated

import numpy as np
from fastapi import FastAPI, Query, Response
from fastapi import Path as PathParameter

from serve.parts.engine import Engine
from serve.parts.sheets import feature_sheet, footprint_picture
from serve.routes import schemas
from serve.routes.listing import Listing
from serve.routes.responses import PNG, png_response
from serve.runtime.api_errors import ApiError
from swiggle.captions.tokens import alike
from swiggle.data.pixels import decode_picture, resize
from swiggle.editing.plan import EditPlan, Operation

FeatureId = Annotated[int, PathParameter(ge=0, lt=2**31, description="a feature's number", examples=[3])]
Kind = Annotated[str, Query(pattern="^(natural|one_hot)$", examples=["natural"])]


def grid(pictures: list[np.ndarray], columns: int = 3) -> np.ndarray:
    """Pictures [S, S, 3] of one size, side by side in rows, with white in what is left over."""
    size = pictures[0].shape[0]
    blank = np.full_like(pictures[0], 255)
    padded = pictures + [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(padded[i : i + columns], axis=1) for i in range(0, len(padded), columns)]
    sheet = np.concatenate(rows)
    factor = max(1, 128 // size)
    return sheet.repeat(factor, axis=0).repeat(factor, axis=1)


def add_feature_routes(app: FastAPI, engine: Engine) -> None:
    # Before the routes of a single feature: `sprites.png` is no number.
    add_picture_routes(app, engine)

    making = asyncio.Lock()
    made: Listing | None = None

    async def listing() -> Listing:
        nonlocal made
        async with making:  # the first call makes the rows, which may take long
            if made is None:
                made = await asyncio.to_thread(Listing, engine.atlas)
            return made

    @app.get("/v1/features", response_model=schemas.FeatureList)
    async def features(
        limit: Annotated[int, Query(ge=1, le=2048, examples=[100])] = 100,
        offset: Annotated[int, Query(ge=0, lt=2**31, examples=[0])] = 0,
        place: Annotated[str | None, Query(max_length=100, examples=["head"])] = None,
        source: Annotated[
            str | None, Query(pattern="^(caption|vision|hand|unexplained)$", examples=["caption"])
        ] = None,
        dead: Annotated[bool | None, Query(examples=[False])] = None,
    ) -> Response:
        """List and filter; `total` is how many there are, of which `limit` from `offset` on are shown."""
        wanted = {"place": place, "source": source, "dead": dead}
        content = (await listing()).page(await engine.by_hand(), wanted, limit, offset)
        return Response(content, media_type="application/json")

    @app.get("/v1/features/search")
    async def search(
        query: Annotated[str, Query(min_length=1, max_length=schemas.MAX_PROMPT, examples=["shark head"])],
        limit: Annotated[int, Query(ge=1, le=200, examples=[20])] = 20,
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

    @app.put("/v1/features/{feature}/label")
    async def put_label(feature: FeatureId, body: schemas.LabelBody) -> schemas.FeatureCard:
        """Label by hand; search sees it at once. Null takes the hand label back. With the `revision` that a card or
        the list of labels named, a change of this label since then is answered 409, and nothing is changed."""
        engine.check_dictionary(body.dictionary)
        label = body.label.strip() if body.label and alike(body.label).strip() else None
        change = {engine.check_feature(feature): label or None}
        engine.keep_labels(await engine.retrieval.put_labels.remote(change, body.revision))
        return await engine.card(engine.check_feature(feature))

    def listed() -> schemas.LabelList:
        return schemas.LabelList(labels=engine.hand.labels, revision=engine.hand.revision, dictionary=engine.dictionary)

    @app.get("/v1/labels")
    async def labels() -> schemas.LabelList:
        """All hand labels."""
        engine.keep_labels(await engine.retrieval.labels.remote())
        return listed()

    @app.put("/v1/labels")
    async def put_labels(body: schemas.LabelList) -> schemas.LabelList:
        """Import hand labels; features not named keep theirs. Those of another `dictionary` are refused, and with a
        `revision` so are labels that were changed since."""
        engine.check_dictionary(body.dictionary)
        for feature in body.labels:
            engine.check_feature(feature)
        engine.keep_labels(await engine.retrieval.put_labels.remote(dict(body.labels), body.revision))
        return listed()


def add_picture_routes(app: FastAPI, engine: Engine) -> None:
    """Pictures of features, and the pictures that they were found in."""

    making = threading.Lock()

    @cache
    def made(kind: str) -> bytes:
        return feature_sheet(engine.atlas, kind)

    def sheet(kind: str) -> bytes:
        with making:  # of several that wait for a sheet, one makes it
            return made(kind)

    # The first page that opens would otherwise wait for it.
    threading.Thread(target=sheet, args=("natural",), daemon=True).start()

    @app.get("/v1/features/sprites.png", responses=PNG, response_class=Response)
    async def sprites(
        kind: Annotated[str, Query(pattern="^(natural|one_hot|example)$", examples=["natural"])] = "natural",
    ) -> Response:
        """Every feature in one picture, 32 x 32 tiles in rows of 64: its preview or its strongest example."""
        png = await asyncio.to_thread(sheet, kind)
        return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})

    @app.get("/v1/features/{feature}/preview.png", responses=PNG, response_class=Response)
    async def preview(feature: FeatureId, kind: Kind = "natural") -> Response:
        """The feature decoded alone: at its mean activation (`natural`), or at activation 1 (`one_hot`)."""
        return png_response(decode_picture(engine.atlas.png(engine.check_feature(feature), kind)))

    def example_pictures(feature: int) -> list[np.ndarray]:
        ids = engine.atlas.example_ids[engine.check_feature(feature)]
        if not ids:
            raise ApiError(404, "no_examples", f"feature {feature} fires on no picture", "feature")
        return [resize(decode_picture(engine.atlas.pictures[i]), engine.image_size) for i in ids]

    def sheet_of(pictures: list[np.ndarray]) -> Response:
        return png_response(grid(pictures))

    @app.get("/v1/features/{feature}/examples.png", responses=PNG, response_class=Response)
    async def examples(feature: FeatureId) -> Response:
        """The pictures in which the feature is strongest, row by row."""
        return await asyncio.to_thread(lambda: sheet_of(example_pictures(feature)))

    @app.get("/v1/features/{feature}/ablation.png", responses=PNG, response_class=Response)
    async def ablation(feature: FeatureId) -> Response:
        """The same pictures, decoded without the feature."""
        plan = EditPlan(operations=[Operation(op="ablate", feature=feature)])
        pictures = await asyncio.to_thread(example_pictures, feature)
        latents = [engine.encoder.encode.remote(picture) for picture in pictures]
        without = [await engine.steering.steer.remote(latent, plan, {}) for latent in latents]
        return await asyncio.to_thread(sheet_of, without)

    @app.get("/v1/features/{feature}/footprint.png", responses=PNG, response_class=Response)
    async def footprint(feature: FeatureId) -> Response:
        """Where the picture moves when the feature is taken out: red, the more opaque the more it moves."""
        png = footprint_picture(engine.atlas.footprint[engine.check_feature(feature)])
        return Response(png, media_type="image/png")

    @app.get("/v1/features/{feature}/strip.png", responses=PNG, response_class=Response)
    async def strip(feature: FeatureId) -> Response:
        """One fixed picture with the feature set to strengths from -2 to +2, side by side."""
        png = engine.atlas.table["strip"][engine.check_feature(feature)].as_py()
        return Response(png, media_type="image/png")

    @app.get("/v1/pictures/random")
    async def random_picture() -> schemas.PictureId:
        """The number of some picture that the bundle keeps, to start an edit from."""
        return schemas.PictureId(id=secrets.choice(list(engine.atlas.pictures)))

    @app.get("/v1/pictures/{picture}.png", responses=PNG, response_class=Response)
    async def picture(picture: Annotated[int, PathParameter(ge=0, lt=2**63, examples=[3])]) -> Response:
        """A picture by its number, as feature cards name their examples."""
        if picture not in engine.atlas.pictures:
            raise ApiError(404, "picture_not_found", f"the bundle keeps no picture {picture}", "picture")
        return png_response(decode_picture(engine.atlas.pictures[picture]))
