import logging
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from swiggle import overrides
from swiggle.config import (
    AtlasConfig,
    AtlasExecution,
    SweepConfig,
    SweepExecution,
    TrainSAEConfig,
    TrainSAEExecution,
    VAEArchitecture,
    VAEConfig,
    VAEExecution,
    VAETrainingConfig,
    without,
)
from swiggle.overrides import ConfigError, known_keys, load_config
from swiggle.presets import PRESETS


def test_precedence_is_preset_then_file_then_words(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("preset: smoke\nvae: {steps: 7, hidden: 99}\nrun: from-file\n")
    config = load_config([f"config={file}", "vae.steps=11", "sweep.l1=[1, 2]"])
    assert (config.preset, config.run, config.vae.hidden, config.vae.steps) == ("smoke", "from-file", 99, 11)
    assert config.sweep.l1 == [1.0, 2.0]
    assert config.vae.batch_size == PRESETS["smoke"]().vae.batch_size


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_valid_and_names_itself(preset: str) -> None:
    assert load_config([f"preset={preset}"]) == PRESETS[preset]()
    assert PRESETS[preset]().preset == preset


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("vae.stepz=3", "did you mean vae.steps?"),
        ("steps=3", "did you mean vae.steps?"),
        ("preset=quik", "did you mean quick?"),
        ("vae.steps=many", "vae.steps"),
        ("vae=3", "vae is a section"),
        ("vae.steps", "expected key=value"),
        ("vae.encoder=transformer", "vae.encoder"),
        ("config=/no/such.yaml", "/no/such.yaml"),
        ("vae.steps.more=1", "vae.steps"),
        ("vae.channels=[1", "not a YAML value"),
    ],
)
def test_a_bad_word_is_named(word: str, expected: str) -> None:
    with pytest.raises(ConfigError) as failure:
        load_config([word])
    assert expected in str(failure.value)


def test_paper_preset_is_the_faithful_model() -> None:
    vae = load_config(["preset=paper"]).vae
    assert (vae.image_size, vae.latent_channels, vae.channels) == (128, 4, [64, 128, 512, 1024])
    assert (vae.encoder, vae.decoder, vae.lr, vae.steps) == ("conv", "conv", 1e-3, 2_000_000)
    assert (vae.kl_weight, vae.kl_free_steps, vae.kl_warmup_steps, vae.lr_decay) == (1e-6, 1_000, 10_000, "constant")


def test_known_keys_cover_the_tree() -> None:
    assert {"run", "vae.steps", "sae.l1", "sweep.max_fvu", "atlas.vocabulary"} <= set(known_keys())
    assert len(known_keys()) == len(set(known_keys()))


def test_a_renamed_key_is_accepted_and_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(overrides.RENAMED, "vae.iterations", "vae.steps")
    monkeypatch.setitem(overrides.RENAMED, "old.workers", "encode.workers")
    file = tmp_path / "mine.yaml"
    file.write_text("vae: {iterations: 7, hidden: 99}\nold: {workers: 3}\n")
    with caplog.at_level(logging.WARNING):
        config = load_config([f"config={file}"])
    assert (config.vae.steps, config.vae.hidden, config.encode.workers) == (7, 99, 3)
    assert [record.getMessage() for record in caplog.records] == [
        "vae.iterations is called vae.steps now",
        "old.workers is called encode.workers now",
    ]
    assert load_config([f"config={file}", "vae.iterations=9"]).vae.steps == 9
    assert load_config([f"config={file}", "vae.steps=11"]).vae.steps == 11
    assert load_config(["atlas.footprint_examples=2"]).atlas.ablations == 2
    assert not set(known_keys()) & overrides.RENAMED.keys()
    assert set(overrides.RENAMED.values()) <= set(known_keys())
    with pytest.raises(ConfigError, match=r"vae\.steps"):
        load_config(["vae.iterations=many"])


def test_a_section_is_put_together_from_its_classes() -> None:
    parts = [{item.name for item in fields(part)} for part in (VAEArchitecture, VAETrainingConfig, VAEExecution)]
    assert set.union(*parts) == {item.name for item in fields(VAEConfig)}
    assert sum(map(len, parts)) == len(fields(VAEConfig))


def test_where_something_is_computed_does_not_decide_what_it_gives() -> None:
    one = load_config([])
    other = load_config(
        ["vae.workers=8", "vae.gpus_per_worker=1", "vae.max_failures=9", "sweep.concurrent=4", "atlas.workers=3",
         "train_sae.cpus_per_worker=2"]
    )  # fmt: skip
    sections = {"vae": VAEExecution, "sweep": SweepExecution, "atlas": AtlasExecution, "train_sae": TrainSAEExecution}
    for name, execution in sections.items():
        first, second = (asdict(getattr(config, name)) for config in (one, other))
        assert first != second
        assert without(first, execution) == without(second, execution)
    assert "lr" in without(asdict(one.vae), VAEExecution)
    assert "max_fvu" in without(asdict(SweepConfig()), SweepExecution)
    assert "batch_size" in without(asdict(AtlasConfig()), AtlasExecution)
    assert {"workers", "shuffle_buffer"} == without(asdict(TrainSAEConfig()), TrainSAEExecution).keys()


def test_a_configuration_is_read_without_torch() -> None:
    code = """
import sys
from swiggle.overrides import load_config
load_config(["sae.objective=topk", "sweep.objectives=[l1]"])
print("torch" in sys.modules)
"""
    read = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert read.stdout == "False\n"
