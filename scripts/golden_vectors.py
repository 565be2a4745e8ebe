"""Write tests/static/golden.json: what Python makes of plans, and tests of the page's scripts compare with theirs.

python -m scripts.golden_vectors
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError

from serve.export import Layer, layers, quantised, rows_of
from swiggle.config import SAEConfig, VAEConfig
from swiggle.editing.plan import MAX_OPERATIONS, EditPlan
from swiggle.editing.steering import Steering
from swiggle.models.dense import DenseDecoder
from swiggle.models.vae import VAE
from swiggle.sae.model import SparseAutoencoder

FILE = Path(__file__).parent.parent / "tests" / "static" / "golden.json"
SIZE, FEATURES, LATENT = 16, 12, 64
TOP_HALF = [[1.0] * 8] * 4 + [[0.0] * 8] * 4
FAINT = [[0.25 * ((row + column) % 4) for column in range(8)] for row in range(8)]

ON_ONE_FEATURE: list[list[dict[str, Any]]] = [
    [{"op": "add", "strength": 1.5}],
    [{"op": "add", "strength": -0.5}],
    [{"op": "add", "strength": -9.0}],  # never below zero
    [{"op": "set", "strength": 2.0}],
    [{"op": "set", "strength": -1.25}],  # which may be below
    [{"op": "scale", "strength": 0.5}],
    [{"op": "scale", "strength": -2.0}],
    [{"op": "ablate", "strength": 0.0}],
    [{"op": "ablate", "strength": 5.0}],  # an ablation's strength says nothing
    [{"op": "set", "strength": -3.0}, {"op": "add", "strength": 1.0}],
    [{"op": "add", "strength": 1.0}, {"op": "scale", "strength": 3.0}, {"op": "add", "strength": -0.5}],
]
STEERED: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "set": [{"op": "set", "feature": 3, "strength": 2.0}],
    "add": [{"op": "add", "feature": 0, "strength": -9.0}, {"op": "add", "feature": 5, "strength": 1.0}],
    "scale": [{"op": "scale", "feature": 7, "strength": 2.5}],
    "ablate": [{"op": "ablate", "feature": feature} for feature in range(FEATURES)],
    "twice": [{"op": "set", "feature": 2, "strength": 2.0}, {"op": "add", "feature": 2, "strength": 1.0}],
    "a mask": [{"op": "set", "feature": 3, "strength": 3.0, "mask": TOP_HALF}],
    "a faint mask": [{"op": "set", "feature": 7, "strength": -3.0, "mask": FAINT}],
    "two masks over the rest": [
        {"op": "set", "feature": 4, "strength": 3.0, "mask": TOP_HALF},
        {"op": "set", "feature": 4, "strength": 1.0},
        {"op": "add", "feature": 4, "strength": 1.0, "mask": FAINT},
        {"op": "ablate", "feature": 6, "mask": TOP_HALF},
    ],
}
PLANS: list[dict[str, Any]] = [
    {"operations": []},
    {"version": 1, "operations": [{"op": "set", "feature": 3}]},
    {"operations": [{"op": "swap", "feature": 3, "from": "another"}]},
    {"operations": [{"op": "add", "feature": 0, "strength": -1000, "mask": FAINT}]},
    {"version": 2, "operations": []},
    {"operations": {}},
    {"operations": [{"op": "paint", "feature": 3}]},
    {"operations": [{"op": "set", "feature": -1}]},
    {"operations": [{"op": "set", "feature": 1.5}]},
    {"operations": [{"op": "set"}]},
    {"operations": [{"op": "set", "feature": 3, "strength": "much"}]},
    {"operations": [{"op": "set", "feature": 3, "strength": None}]},
]


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def tiny_decoder(random: np.random.RandomState, **more: int) -> VAE:
    """A dense decoder whose weights are exactly those that its quantised bytes hold."""
    settings: dict[str, Any] = {"image_size": SIZE, "hidden": 16, "blocks": 2, "latent_channels": 1, **more}
    vae = VAE(VAEConfig(encoder="dense", decoder="dense", **settings))
    assert isinstance(vae.decoder, DenseDecoder)
    for layer in layers(vae.decoder):
        (rows, columns), shape = rows_of(layer).shape, layer.weight.shape
        drawn = np.asarray(random.normal(0, columns**-0.5, (rows, columns)), np.float32)
        layer.weight.data = torch.from_numpy(drawn).view(shape)
        assert layer.bias is not None
        layer.bias.data = torch.from_numpy(np.asarray(random.normal(0, 0.3, (rows,)), np.float32))
        layer.weight.data = held(layer).view(shape)
    return vae.eval()


def exported(vae: VAE) -> dict[str, Any]:
    """A decoder as `serve.export` writes it."""
    assert isinstance(vae.decoder, DenseDecoder)
    parts = layers(vae.decoder)
    return {
        "image_size": vae.config.image_size,
        "layers": [list(rows_of(layer).shape) for layer in parts],
        "weights": text(b"".join(quantised(layer) for layer in parts)),
    }


def decoded(vae: VAE, latent: np.ndarray) -> list[float]:
    return [round(float(value), 5) for value in vae.decode(torch.from_numpy(latent)).flatten()]


def held(layer: Layer) -> torch.Tensor:
    """The weights [rows, columns] that a reader of `quantised` finds."""
    rows, columns = rows_of(layer).shape
    data = quantised(layer)
    scale = np.frombuffer(data, np.float32, rows)
    return torch.from_numpy(
        np.frombuffer(data, np.int8, rows * columns, 4 * rows).reshape(rows, columns) * scale[:, None]
    )


def tiny_dictionary(random: np.random.RandomState) -> SparseAutoencoder:
    """A dictionary with decoder rows of unit length that float16 holds exactly."""
    sae = SparseAutoencoder(SAEConfig(features=FEATURES, latent_dim=LATENT))
    rows = random.normal(size=(FEATURES, LATENT))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    sae.W_dec.data = torch.from_numpy(rows)
    sae.W_enc.data = torch.from_numpy(rows.T.copy())
    return sae


def judged(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan and what Python reads in it: null where it refuses it."""
    try:
        read = EditPlan.model_validate(plan).model_dump(by_alias=True)
    except ValidationError:
        return {"plan": plan, "read": None}
    operations = [{name: value for name, value in o.items() if name != "from" or value} for o in read["operations"]]
    return {"plan": plan, "read": {"version": read["version"], "operations": operations}}


@torch.inference_mode()
def golden() -> dict[str, Any]:
    """Pictures are base64 of uint8 [S, S, 3]; weights as `serve.export` writes them; strengths in units of `units`."""
    random = np.random.RandomState(20)
    vae, sae = tiny_decoder(random), tiny_dictionary(random)
    units = random.uniform(0.5, 2.0, FEATURES).astype(np.float32)
    latent = random.normal(0, 1.5, (1, 1, 8, 8)).astype(np.float32)
    steering = Steering(vae, sae, units)
    activations = sae.encode(torch.from_numpy(latent).flatten(1))[0]

    def after(operations: list[dict[str, Any]], base: float) -> float:
        """Of feature 0 with the activation 1 as its unit, so that strengths are activations."""
        plan = EditPlan.model_validate({"operations": [{**o, "feature": 0} for o in operations]})
        alone = Steering(vae, sae, np.ones(FEATURES, dtype=np.float32))
        return float(alone._changed(torch.full((1, FEATURES), base), plan.operations, {})[0, 0])

    def drawn(operations: list[dict[str, Any]]) -> str:
        plan = EditPlan.model_validate({"operations": operations})
        return text(steering.steer(torch.from_numpy(latent), plan).tobytes())

    refined = tiny_decoder(random, image_size=2 * SIZE, hidden=4, blocks=1, refine=4)
    strengths = activations.numpy() / units
    return {
        "strengths": [
            {"operations": operations, "base": base, "after": after(operations, base)}
            for operations in ON_ONE_FEATURE
            for base in (0.0, 0.75)
        ],
        "plans": [judged(plan) for plan in PLANS],
        "max_operations": MAX_OPERATIONS,
        "decoder": exported(vae),
        "dictionary": text(sae.W_dec.numpy().astype(np.float16).tobytes()),
        "units": [round(float(unit), 6) for unit in units],
        "latent": text(latent.tobytes()),
        "active": [[i, round(float(strengths[i]), 5)] for i in range(FEATURES) if strengths[i] > 0],
        "decoded": decoded(vae, latent),
        "refined": {**exported(refined), "decoded": decoded(refined, latent)},
        "steered": [
            {"name": name, "operations": operations, "picture": drawn(operations)}
            for name, operations in STEERED.items()
        ],
    }


def written(vectors: dict[str, Any]) -> str:
    """As JSON, a line for each part."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(part)}" for name, part in vectors.items()) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(written(golden()))
