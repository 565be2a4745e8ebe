"""An objective is a file in `swiggle/sae/objectives`: whatever lists objectives follows from what is there."""

import sys
from pathlib import Path

import pytest
import torch

from scripts.objectives_table import PAGE, TABLE, table
from swiggle.config import RunConfig, SAEConfig, SweepConfig
from swiggle.overrides import ConfigError, load_config
from swiggle.sae import objectives
from swiggle.sae.epochs import train_sae
from swiggle.sae.objective import objective_class
from swiggle.sae.objectives import objective_names
from swiggle.sae.trials import grid, name_of

TOY = '''"""Peaks: l1 times the largest activation.

Nothing that anybody would want.
"""

from swiggle.sae.objective import Objective, mean_l0, squared_error


class Toy(Objective):
    """For a test."""

    knob = "l1"

    def forward(self, sae, latents, warmth):
        f = self.preactivations(sae, latents).relu()
        error = squared_error(sae.decode(f), latents)
        return {"loss": error + self.config.l1 * warmth * f.amax(dim=1).mean(), "error": error, "l0": mean_l0(f)}
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "toy_peak.py").write_text(TOY)
    monkeypatch.setattr(objectives, "__path__", [*objectives.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "swiggle.sae.objectives.toy_peak", raising=False)
    return "toy_peak"


def test_a_file_is_all_that_an_objective_needs(toy: str) -> None:
    config = load_config([f"sae.objective={toy}", f"sweep.objectives=[l1, {toy}]", "sweep.l1=[0.5]"])
    trials = grid(config)
    assert [trial["objective"] for trial in trials] == ["l1", toy]
    assert trials[1]["l1"] == 0.5
    assert name_of(trials[1]).startswith(f"{toy}-0.5")
    assert f"| `{toy}` | Peaks: l1 times the largest activation. | `l1` | For a test. |\n" in table()
    latents = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
    sae = SAEConfig(objective=toy, features=16, latent_dim=8, epochs=1, batch_size=16)
    (epoch,) = train_sae(latents, sae)
    assert epoch.folded().config.objective == toy
    with pytest.raises(ConfigError, match=rf"sae\.objective: .*did you mean {toy}\?.*'toy_peek'"):
        load_config(["sae.objective=toy_peek"])


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("sae.objective=tokp", r"sae\.objective: should be one of .*jumprelu.* \(did you mean topk\?\), not 'tokp'"),
        ("sweep.objectives=[l1, matryoska]", r"sweep\.objectives\.1: .*did you mean matryoshka\?.*'matryoska'"),
        ("sae.objective=toy_peak", r"sae\.objective: should be one of"),
    ],
)
def test_an_unknown_objective_is_refused_with_the_nearest(word: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config([word])


def test_an_unknown_objective_has_no_class() -> None:
    with pytest.raises(ConfigError, match=r"did you mean jumprelu\?"):
        objective_class("jumprulu")


@pytest.mark.parametrize("name", objective_names())
def test_every_objective_says_what_it_is(name: str) -> None:
    about = objective_class(name)
    assert about.__module__ == f"swiggle.sae.objectives.{name}"
    assert isinstance(getattr(SAEConfig(), about.knob), int | float)
    assert getattr(SweepConfig(), about.knob)
    assert about.__doc__ is not None
    assert "\n" not in about.__doc__
    assert sys.modules[about.__module__].__doc__


def test_the_objectives_of_the_presets_are_there() -> None:
    assert {SAEConfig().objective, *RunConfig().sweep.objectives} <= set(objective_names())


def test_the_table_in_the_docs_is_current() -> None:
    (found,) = TABLE.findall(PAGE.read_text())
    assert found == table(), "run python -m scripts.objectives_table"
