"""Small dictionaries as the installed version of `sae-lens` writes them, each with what that version computes with it.

    python -m benchmarks.peers.saelens_files tests/sae/saelens      # needs a sae-lens of any version from 3 on

Writes `<folder>/<version>/<case>`: `cfg.json` and `sae_weights.safetensors` as saved, and `expected.safetensors` with
inputs `x` [16, 8], `activations` [16, 16] and `reconstruction` [16, 8] as that version's own code computes them. Of
what is to be refused by its configuration only `cfg.json` is kept. The fast tests read them, so that they need no
`sae-lens` (`tests/sae/test_saelens_files.py`).
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import sae_lens
import torch
from safetensors.torch import load_file, save_file

D_IN, D_SAE, K, INPUTS = 8, 16, 3, 16
OLD: dict[str, dict[str, Any]] = {
    "standard": {},
    "finetuned": {"finetuning_scaling_factor": True},
    "topk": {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": K}},
    "jumprelu": {"architecture": "jumprelu"},
    "gated": {"architecture": "gated"},
    "tanh_relu": {"activation_fn_str": "tanh-relu"},
    "layer_norm": {"normalize_activations": "layer_norm"},
    "hook_z": {"hook_name": "blocks.0.attn.hook_z"},
}
"""Settings of versions 3 to 5, by case."""
NEW: dict[str, dict[str, Any]] = {
    "standard": {},
    "untied": {"apply_b_dec_to_input": False},
    "topk": {"k": K},
    "topk_rescaled": {"k": K, "rescale_acts_by_decoder_norm": True},
    "jumprelu": {},
    "gated": {},
    "layer_norm": {"normalize_activations": "layer_norm"},
    "hook_z": {"reshape_activations": "hook_z"},
}
"""Settings of version 6."""
REFUSED = ("gated", "tanh_relu", "layer_norm", "hook_z")
CLASSES = {"topk": "TopKSAE", "jumprelu": "JumpReLUSAE", "gated": "GatedSAE"}


def old_sae(settings: dict[str, Any]) -> Any:
    module = importlib.import_module("sae_lens.sae")
    plain = {
        "architecture": "standard", "d_in": D_IN, "d_sae": D_SAE, "activation_fn_str": "relu",
        "activation_fn_kwargs": {}, "apply_b_dec_to_input": True, "finetuning_scaling_factor": False,
        "context_size": 16, "model_name": "none",
        "hook_name": "latent", "hook_layer": 0, "hook_head_index": None, "prepend_bos": True, "dataset_path": "none",
        "dataset_trust_remote_code": True, "normalize_activations": "none", "dtype": "float32", "device": "cpu",
        "sae_lens_training_version": sae_lens.__version__,
    }  # fmt: skip
    check_known(settings, module.SAEConfig)
    return module.SAE(module.SAEConfig.from_dict({**plain, **settings}))


def new_sae(case: str, settings: dict[str, Any]) -> Any:
    name = CLASSES.get(case.partition("_")[0], "StandardSAE")
    config = getattr(sae_lens, f"{name}Config")
    check_known(settings, config)
    return getattr(sae_lens, name)(config(d_in=D_IN, d_sae=D_SAE, **settings))


def check_known(settings: dict[str, Any], config: Any) -> None:
    if unknown := settings.keys() - config.__dataclass_fields__.keys():
        raise ValueError(f"unknown settings {unknown}")


def loaded(sae: Any, folder: Path) -> Any:
    """The dictionary as that version reads it back."""
    load = getattr(type(sae), "load_from_disk", None) or type(sae).load_from_pretrained
    return load(str(folder))


def write(case: str, sae: Any, folder: Path) -> None:
    generator = torch.Generator().manual_seed(len(case))
    with torch.no_grad():
        for name, parameter in sae.named_parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
            if name == "W_dec" and case == "topk":
                parameter.div_(parameter.norm(dim=1, keepdim=True))
            if name == "threshold":
                parameter.abs_()
    folder.mkdir(parents=True, exist_ok=True)
    sae.save_model(str(folder))
    weights = load_file(folder / "sae_weights.safetensors")
    if "finetuning_scaling_factor" in weights:  # the name that their own loaders look for
        weights["scaling_factor"] = weights.pop("finetuning_scaling_factor")
        save_file(weights, folder / "sae_weights.safetensors")
    if case in REFUSED:
        (folder / "sae_weights.safetensors").unlink()
        return
    x = torch.randn(INPUTS, D_IN, generator=generator)
    theirs = loaded(sae, folder)
    with torch.no_grad():
        activations = theirs.encode(x)
        expected = {"x": x, "activations": activations, "reconstruction": theirs.decode(activations)}
    save_file({name: tensor.contiguous() for name, tensor in expected.items()}, folder / "expected.safetensors")


def main(folder: Path) -> None:
    old = int(sae_lens.__version__.split(".")[0]) < 6
    cases: dict[str, dict[str, Any]] = OLD if old else NEW
    for case, settings in cases.items():
        try:
            sae = old_sae(settings) if old else new_sae(case, settings)
            write(case, sae, folder / sae_lens.__version__ / case)
        except Exception as error:
            print(f"sae-lens {sae_lens.__version__} has no {case}: {error!r}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
