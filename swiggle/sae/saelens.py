"""Dictionaries in the file format of SAELens (`cfg.json`, `sae_weights.safetensors`), to and from.

    export_saelens(bundle.sae, Path("for-saelens"))   # then sae_lens.SAE.load_from_disk("for-saelens")
    sae = import_saelens(Path("from-saelens"))

What was trained here is exported as what it computes: `standard` (ReLU), `jumprelu` or `topk`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from swiggle.config import Objective, SAEArchitecture, SAEConfig
from swiggle.errors import SwiggleError
from swiggle.sae.model import SparseAutoencoder

CONFIG = "cfg.json"
WEIGHTS = "sae_weights.safetensors"


class SAELensError(SwiggleError, ValueError):
    """A dictionary of SAELens that is another function here; the message names the file and the field."""


OBJECTIVES: dict[str, Objective] = {"standard": "l1", "jumprelu": "jumprelu", "topk": "topk"}
"""An architecture of theirs and the objective of ours that leaves the same function."""


def export_saelens(sae: SparseAutoencoder, folder: Path) -> None:
    """Write a folded autoencoder (one that takes raw latents) for SAELens."""
    weights = {name: getattr(sae, name).detach().contiguous() for name in ("W_enc", "W_dec", "b_enc", "b_dec")}
    extra: dict[str, Any] = {}
    if sae.config.objective == "topk":
        architecture, extra["k"] = "topk", sae.config.k
    elif sae.threshold.any():
        architecture, weights["threshold"] = "jumprelu", sae.threshold.contiguous()
    else:
        architecture = "standard"
    config = {
        "architecture": architecture,
        "d_in": sae.config.latent_dim,
        "d_sae": sae.config.features,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": False,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"model_name": "swiggle-vae", "hook_name": "latent"},
        **extra,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n")
    save_file(weights, folder / WEIGHTS)


def import_saelens(folder: Path) -> SparseAutoencoder:
    """Read what SAELens, from version 3 on, saved; folded to unit decoder rows. The reconstruction is theirs to 1e-5,
    and a feature fires where theirs does.

    Raises `SAELensError` naming the file and field for what cannot be the same function here.
    """
    config = _config(folder / CONFIG)
    weights = _weights(folder, config)
    rows = weights["W_dec"] * weights["scaling_factor"][:, None]
    norms = rows.norm(dim=1).clamp_min(1e-12)
    # A top-k is taken of activations before decoder norms are folded in, unless they were rescaled by them.
    ranked_alike = config.rescaled or torch.allclose(norms, torch.ones_like(norms), atol=1e-4)
    if config.objective == "topk" and not ranked_alike:
        raise SAELensError(f"{folder / WEIGHTS}: W_dec has rows of other norms than 1, on which a top-k depends")
    ours = SparseAutoencoder(
        SAEArchitecture(config.objective, features=config.d_sae, latent_dim=config.d_in, k=config.k or SAEConfig.k)
    )
    b_enc = weights["b_enc"]
    if config.apply_b_dec_to_input:
        b_enc = b_enc - weights["b_dec"] @ weights["W_enc"]
    with torch.no_grad():
        ours.W_dec.copy_(rows / norms[:, None])
        ours.W_enc.copy_(weights["W_enc"] * norms)
        ours.b_enc.copy_(b_enc * norms)
        ours.b_dec.copy_(weights["b_dec"])
        if config.objective == "jumprelu":  # of a ReLU: what is below zero does not fire whatever the threshold
            ours.threshold.copy_(weights["threshold"].clamp_min(0.0) * norms)
    return ours.eval()


@dataclass(frozen=True)
class _Config:
    """What of their configuration the function follows from."""

    objective: Objective
    d_in: int
    d_sae: int
    k: int | None
    apply_b_dec_to_input: bool
    finetuned: bool
    rescaled: bool


def _config(path: Path) -> _Config:
    """Read `cfg.json`. Fields that are missing have the value that they had before they were introduced."""
    try:
        read = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SAELensError(f"{path}: {error}") from error
    if not isinstance(read, dict):
        raise SAELensError(f"{path}: expected an object of settings, not {type(read).__name__}")

    def refuse(field: str, reason: str) -> NoReturn:
        raise SAELensError(f"{path}: {field} {read.get(field)!r} {reason}")

    architecture = read.get("architecture", "standard")
    if not isinstance(architecture, str) or architecture not in OBJECTIVES:
        refuse("architecture", f"is not one of {', '.join(OBJECTIVES)}")
    for field in ("normalize_activations", "reshape_activations"):
        if read.get(field) not in ("none", None, False):
            refuse(field, "cannot be folded into the weights")
    if str(read.get("hook_name", "")).endswith("hook_z"):  # versions before 6 reshaped those without saying so
        refuse("hook_name", "has heads that are flattened, which cannot be folded into the weights")
    for field in ("d_in", "d_sae"):
        if type(read.get(field)) is not int or read[field] < 1:
            refuse(field, "is no size")
    for field in ("apply_b_dec_to_input", "finetuning_scaling_factor", "rescale_acts_by_decoder_norm"):
        if not isinstance(read.get(field, False), bool):
            refuse(field, "is neither true nor false")
    objective = _objective(architecture, read, refuse)
    return _Config(
        objective,
        read["d_in"],
        read["d_sae"],
        _k(read, path, refuse) if objective == "topk" else None,
        read.get("apply_b_dec_to_input", True),
        read.get("finetuning_scaling_factor", False),
        read.get("rescale_acts_by_decoder_norm", False),
    )


def _objective(architecture: str, read: dict[str, Any], refuse: Callable[[str, str], NoReturn]) -> Objective:
    """Versions before 6 named the activation function beside the architecture: a `standard` may be a top-k."""
    field = "activation_fn_str" if "activation_fn_str" in read else "activation_fn"
    function = read.get(field, "relu")
    if function == "topk" and architecture in ("standard", "topk"):
        return "topk"
    if function != "relu":
        refuse(field, f"is no activation function of a {architecture} here")
    return OBJECTIVES[architecture]


def _k(read: dict[str, Any], path: Path, refuse: Callable[[str, str], NoReturn]) -> int:
    arguments = read.get("activation_fn_kwargs") or {}
    older = arguments.get("k") if isinstance(arguments, dict) else refuse("activation_fn_kwargs", "holds no k")
    k = read.get("k", older)
    if k is None:
        raise SAELensError(f"{path}: k is missing, and a top-k needs it")
    if older not in (None, k):
        refuse("activation_fn_kwargs", f"and k {k} disagree")
    if type(k) is not int or not 1 <= k <= read["d_sae"]:
        raise SAELensError(f"{path}: k {k!r} is not between 1 and the {read['d_sae']} features there are")
    return k


def _weights(folder: Path, config: _Config) -> dict[str, Tensor]:
    """The weights in float32, with `scaling_factor` 1 where there is none. Of every shape that the configuration asks
    for, and finite."""
    path, features = folder / WEIGHTS, [config.d_sae]
    try:
        stored = load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise SAELensError(f"{path}: {error}") from error
    shapes = {"W_enc": [config.d_in, config.d_sae], "W_dec": [config.d_sae, config.d_in]}
    shapes |= {"b_enc": features, "b_dec": [config.d_in]}
    if config.objective == "jumprelu":
        shapes["threshold"] = features
    if config.finetuned:
        shapes["scaling_factor"] = features
    elif "scaling_factor" in stored and not (stored["scaling_factor"] == 1).all():
        raise SAELensError(f"{path}: scaling_factor is there, and finetuning_scaling_factor of {CONFIG} is not true")
    if missing := shapes.keys() - stored.keys():
        raise SAELensError(f"{path}: {', '.join(sorted(missing))} missing")
    for name, wanted in shapes.items():
        tensor = stored[name]
        if list(tensor.shape) != wanted:
            raise SAELensError(f"{path}: {name} is {list(tensor.shape)}, but {CONFIG} asks for {wanted}")
        if not tensor.is_floating_point():
            raise SAELensError(f"{path}: {name} is of {tensor.dtype}, and no floating-point numbers")
        if not tensor.isfinite().all():
            raise SAELensError(f"{path}: {name} holds values that are not finite")
    weights = {name: stored[name].float() for name in shapes}
    return {"scaling_factor": torch.ones(config.d_sae), **weights}
