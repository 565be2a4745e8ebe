"""Dictionaries in the file format of SAELens (`cfg.json`, `sae_weights.safetensors`), to and from.

    export_saelens(bundle.sae, Path("for-saelens"))   # then sae_lens.SAE.load_from_disk("for-saelens")
    sae = import_saelens(Path("from-saelens"))

What was trained here is exported as what it computes: `standard` (ReLU), `jumprelu` or `topk`.
"""

import json
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from swiggle.config import Objective, SAEConfig
from swiggle.sae.model import SparseAutoencoder

CONFIG = "cfg.json"
WEIGHTS = "sae_weights.safetensors"
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
    """Read what SAELens saved, folded to unit decoder rows.

    Raises ValueError naming the file and field for what cannot be the same function here.
    """
    config, weights = _read(folder)
    architecture = config.get("architecture", "standard")
    if architecture not in OBJECTIVES:
        raise ValueError(f"{folder / CONFIG}: architecture {architecture!r} is not one of {', '.join(OBJECTIVES)}")
    for field, plain in (("normalize_activations", "none"), ("reshape_activations", "none")):
        if config.get(field, plain) not in (plain, None):
            raise ValueError(f"{folder / CONFIG}: {field} {config[field]!r} cannot be folded into the weights")
    norms = weights["W_dec"].norm(dim=1).clamp_min(1e-12)
    if architecture == "topk" and not torch.allclose(norms, torch.ones_like(norms), atol=1e-4):
        raise ValueError(f"{folder / WEIGHTS}: W_dec has rows of other norms than 1, on which a top-k depends")
    ours = SparseAutoencoder(
        SAEConfig(
            objective=OBJECTIVES[architecture],
            features=config["d_sae"],
            latent_dim=config["d_in"],
            k=config.get("k", SAEConfig.k),
        )
    )
    b_enc = weights["b_enc"]
    if config.get("apply_b_dec_to_input", True):
        b_enc = b_enc - weights["b_dec"] @ weights["W_enc"]
    with torch.no_grad():
        ours.W_dec.copy_(weights["W_dec"] / norms[:, None])
        ours.W_enc.copy_(weights["W_enc"] * norms)
        ours.b_enc.copy_(b_enc * norms)
        ours.b_dec.copy_(weights["b_dec"])
        if architecture == "jumprelu":
            ours.threshold.copy_(weights["threshold"] * norms)
    return ours.eval()


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        config = json.loads((folder / CONFIG).read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder / CONFIG}: {error}") from error
    try:
        weights = {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}
    except (OSError, safetensors.SafetensorError) as error:
        raise ValueError(f"{folder / WEIGHTS}: {error}") from error
    wanted = {"W_enc", "W_dec", "b_enc", "b_dec"}
    if config.get("architecture") == "jumprelu":
        wanted.add("threshold")
    if missing := wanted - weights.keys():
        raise ValueError(f"{folder / WEIGHTS}: {', '.join(sorted(missing))} missing")
    return config, weights
