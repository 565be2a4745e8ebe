"""Files as several versions of SAELens write them (`benchmarks/peers/saelens_files.py`) are the same function here."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from swiggle.sae.saelens import import_saelens

FILES = Path(__file__).parent / "saelens"
SAVED = sorted(FILES.glob("*/*/expected.safetensors"))
REFUSED = {
    "gated": "architecture 'gated'",
    "tanh_relu": "activation_fn_str 'tanh-relu'",
    "layer_norm": "normalize_activations 'layer_norm'",
    "hook_z": "(hook_name 'blocks.0.attn.hook_z'|reshape_activations 'hook_z')",
}


@pytest.mark.parametrize("folder", [pytest.param(p.parent, id="-".join(p.parts[-3:-1])) for p in SAVED])
def test_it_is_their_function(folder: Path) -> None:
    expected = load_file(folder / "expected.safetensors")
    ours = import_saelens(folder)
    reconstruction, activations = ours(expected["x"])
    torch.testing.assert_close(reconstruction, expected["reconstruction"], rtol=1e-5, atol=1e-5)
    assert torch.equal(activations > 0, expected["activations"] > 0)
    torch.testing.assert_close(ours.W_dec.norm(dim=1), torch.ones(len(ours.W_dec)), rtol=1e-3, atol=1e-3)


def test_several_versions_are_there() -> None:
    assert {path.parts[-3].split(".")[0] for path in SAVED} == {"3", "4", "5", "6"}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_the_same_function_is_refused_by_name(case: str) -> None:
    from swiggle.errors import SwiggleError

    folders = sorted(FILES.glob(f"*/{case}"))
    assert len(folders) >= 3
    for folder in folders:
        with pytest.raises(SwiggleError, match=f"{folder.name}/cfg.json: {REFUSED[case]}"):
            import_saelens(folder)
