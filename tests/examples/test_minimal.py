from pathlib import Path

import pytest
from PIL import Image

from examples.minimal import main


def test_the_smallest_example_runs_and_learns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--pictures", "600", "--held-out", "60", "--hidden", "64", "--latent", "32", "--features", "128"]
    picture = tmp_path / "edit.png"
    none = main([*sizes, "--vae-steps", "1", "--sae-steps", "1", "--word", "cold", "--picture", str(picture)])
    some = main([*sizes, "--vae-steps", "60", "--sae-steps", "150", "--word", "cold", "--picture", str(picture)])
    assert some["psnr"] > none["psnr"] + 3
    assert some["fvu"] < 0.5 * none["fvu"]
    assert 0 < some["f1"] <= 1
    assert Image.open(picture).size == (4 * 4 * 32, 4 * 8 * 32)
    assert "fires where captions say 'cold'" in capsys.readouterr().out
