import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from swiggle.config import SAEConfig
from swiggle.sae.inputs import Inputs
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import objective_of
from swiggle.sae.saelens import export_saelens, import_saelens
from tests.sae.conftest import normal_sae


@pytest.mark.parametrize(
    ("objective", "threshold", "architecture"),
    [("l1", 0.0, "standard"), ("batch_topk", 0.7, "jumprelu"), ("jumprelu", 0.7, "jumprelu"), ("topk", 0.0, "topk")],
)
def test_round_trip(tmp_path: Path, objective: str, threshold: float, architecture: str) -> None:
    sae = normal_sae(SAEConfig(objective=objective, features=24, latent_dim=12, k=5))
    sae = objective_of(sae.config, 100).folded(sae, Inputs.of(torch.randn(99, sae.config.latent_dim), 0.5))
    sae.threshold.fill_(threshold)
    export_saelens(sae, tmp_path)
    assert json.loads((tmp_path / "cfg.json").read_text())["architecture"] == architecture
    x = torch.randn(40, 12)
    torch.testing.assert_close(import_saelens(tmp_path)(x), sae(x), rtol=1e-5, atol=1e-5)


def test_their_tied_bias_and_free_norms_are_folded(tmp_path: Path, random_sae: SparseAutoencoder) -> None:
    export_saelens(random_sae, tmp_path)
    config = json.loads((tmp_path / "cfg.json").read_text())
    (tmp_path / "cfg.json").write_text(json.dumps({**config, "apply_b_dec_to_input": True}))
    x = torch.randn(40, 12)
    f = torch.relu((x - random_sae.b_dec) @ random_sae.W_enc + random_sae.b_enc)
    ours = import_saelens(tmp_path)
    torch.testing.assert_close(ours(x)[0], f @ random_sae.W_dec + random_sae.b_dec, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.W_dec.norm(dim=1), torch.ones(24))


def test_what_cannot_be_the_same_function_is_refused_by_name(tmp_path: Path, random_sae: SparseAutoencoder) -> None:
    export_saelens(random_sae, tmp_path)
    config = json.loads((tmp_path / "cfg.json").read_text())
    for field, value in (("architecture", "gated"), ("normalize_activations", "layer_norm")):
        (tmp_path / "cfg.json").write_text(json.dumps({**config, field: value}))
        with pytest.raises(ValueError, match=f"cfg.json: {field}"):
            import_saelens(tmp_path)
    (tmp_path / "cfg.json").write_text(json.dumps(config))
    weights = load_file(tmp_path / "sae_weights.safetensors")
    del weights["b_enc"]
    save_file(weights, tmp_path / "sae_weights.safetensors")
    with pytest.raises(ValueError, match="b_enc missing"):
        import_saelens(tmp_path)


TOP_4 = {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": 4}}
PLAIN = {"architecture": "standard", "d_in": 16, "d_sae": 64}


def saved(folder: Path, changes: dict[str, object] | None = None, **config: object) -> Path:
    """A dictionary of 64 unit rows in 16 dimensions as an older SAELens wrote it, with some tensors changed."""
    rows = torch.nn.functional.normalize(torch.randn(64, 16, generator=torch.Generator().manual_seed(0)), dim=1)
    weights = {"W_enc": rows.T.contiguous(), "W_dec": rows, "b_enc": torch.zeros(64), "b_dec": torch.zeros(16)}
    save_file({**weights, **(changes or {})}, folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps({**PLAIN, **config}))
    return folder


@pytest.mark.parametrize(
    "config",
    [
        TOP_4,
        {"architecture": "topk", "activation_fn_kwargs": {"k": 4}},
        {"activation_fn": "topk", "activation_fn_kwargs": {"k": 4}},
    ],
)
def test_older_top_k(tmp_path: Path, config: dict[str, object]) -> None:
    sae = import_saelens(saved(tmp_path, **config))
    x = torch.randn(200, 16)
    assert ((sae.encode(x) > 0).sum(dim=1) <= 4).all()
    best = torch.topk(x @ sae.W_enc, 4, dim=1).values.relu().sum(dim=1)
    torch.testing.assert_close(sae.encode(x).sum(dim=1), best)


@pytest.mark.parametrize(
    ("config", "changes", "message"),
    [
        ({"architecture": "topk"}, {}, "cfg.json: k is missing"),
        ({"architecture": "topk", "k": 65}, {}, "cfg.json: k 65"),
        ({"architecture": "topk", "k": 8, "activation_fn_kwargs": {"k": 4}}, {}, "activation_fn_kwargs"),
        ({"activation_fn_str": "swish"}, {}, "cfg.json: activation_fn_str 'swish'"),
        ({"activation_fn": ["relu"]}, {}, "cfg.json: activation_fn "),
        ({"architecture": "jumprelu", **TOP_4}, {"threshold": torch.ones(64)}, "cfg.json: activation_fn_str 'topk'"),
        ({"architecture": ["standard"]}, {}, "cfg.json: architecture"),
        ({"normalize_activations": True}, {}, "cfg.json: normalize_activations True"),
        ({"normalize_activations": "constant_norm_rescale"}, {}, "normalize_activations 'constant_norm_rescale'"),
        ({"d_in": 17}, {}, r"sae_weights.safetensors: W_enc is \[16, 64\], but cfg.json .*\[17, 64\]"),
        ({"d_sae": "64"}, {}, "cfg.json: d_sae '64'"),
        ({"d_in": None}, {}, "cfg.json: d_in None"),
        ({}, {"W_dec": torch.zeros(16, 64)}, r"sae_weights.safetensors: W_dec is \[16, 64\]"),
        ({}, {"b_enc": torch.zeros(1)}, "sae_weights.safetensors: b_enc is"),
        ({}, {"b_dec": torch.full((16,), torch.nan)}, "sae_weights.safetensors: b_dec .*not finite"),
        ({}, {"W_dec": torch.zeros(64, 16, dtype=torch.int32)}, "sae_weights.safetensors: W_dec .*int32"),
        ({}, {"scaling_factor": torch.full((64,), 2.0)}, "finetuning_scaling_factor"),
        ({"apply_b_dec_to_input": "yes"}, {}, "cfg.json: apply_b_dec_to_input 'yes'"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, config: dict[str, object], changes: dict[str, torch.Tensor], message: str
) -> None:
    from swiggle.errors import SwiggleError

    with pytest.raises(SwiggleError, match=message):
        import_saelens(saved(tmp_path, changes, **config))


@pytest.mark.parametrize("text", ["[]", "{", '"topk"'])
def test_a_configuration_that_is_none(tmp_path: Path, text: str) -> None:
    from swiggle.errors import SwiggleError

    (saved(tmp_path) / "cfg.json").write_text(text)
    with pytest.raises(SwiggleError, match=r"cfg\.json"):
        import_saelens(tmp_path)


def test_jumps_below_zero_are_relu(tmp_path: Path) -> None:
    sae = import_saelens(saved(tmp_path, {"threshold": torch.full((64,), -1.0)}, architecture="jumprelu"))
    x = torch.randn(200, 16)
    torch.testing.assert_close(sae.encode(x), torch.relu(x @ sae.W_enc))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions(tmp_path: Path, dtype: torch.dtype) -> None:
    """The numbers of the file, computed with in float32; whatever else is in it is none of the function."""
    rows = torch.randn(64, 16).to(dtype)
    changes = {"W_dec": rows, "W_enc": rows.T.contiguous(), "scaling_factor": torch.ones(64, dtype=dtype)}
    sae = import_saelens(saved(tmp_path, changes, dtype=str(dtype), metadata={"hook_name": "latent"}))
    x = torch.randn(40, 16)
    torch.testing.assert_close(sae(x)[0], torch.relu(x @ rows.float().T) @ rows.float(), rtol=1e-5, atol=1e-4)
