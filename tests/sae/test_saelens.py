import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from swiggle.config import SAEConfig
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objectives import objective_of
from swiggle.sae.saelens import export_saelens, import_saelens
from tests.sae.conftest import normal_sae


@pytest.mark.parametrize(
    ("objective", "threshold", "architecture"),
    [("l1", 0.0, "standard"), ("batch_topk", 0.7, "jumprelu"), ("jumprelu", 0.7, "jumprelu"), ("topk", 0.0, "topk")],
)
def test_round_trip(tmp_path: Path, objective: str, threshold: float, architecture: str) -> None:
    sae = normal_sae(SAEConfig(objective=objective, features=24, latent_dim=12, k=5))
    sae = objective_of(sae.config, 100).folded(sae, 1.7)
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
