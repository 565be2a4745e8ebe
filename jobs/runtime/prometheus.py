"""What jobs tell Prometheus, beside what Ray tells of itself. Ray exports each name with `ray_` before it."""

from collections.abc import Mapping
from typing import Any

from ray.util.metrics import Gauge

from swiggle.storage import shown

SHOWN_OF_TRIAL = ("fvu", "l0", "dead", "decoder_loss_recovered")


def _gauges(prefix: str, meanings: Mapping[str, str], tags: dict[str, str]) -> dict[str, Gauge]:
    made = {name: Gauge(prefix + name, meaning, tag_keys=tuple(tags)) for name, meaning in meanings.items()}
    for gauge in made.values():
        gauge.set_default_tags(tags)
    return made


def run_of(uri: str) -> str:
    """The run that a working folder of a stage belongs to, as it is shown."""
    return shown(uri).partition("?")[0].partition("/train_vae/")[0]


class TrainingMetrics:
    """A VAE in training, told by its first worker."""

    def __init__(self, run: str) -> None:
        meanings = {
            "step": "steps done",
            "images_per_second": "pictures trained on per second by all workers",
            "loss": "training loss, mean over workers",
            "psnr": "PSNR of the training batch in dB",
        }
        self._gauges = _gauges("swiggle_train_", meanings, {"run": run})

    def point(self, **values: float) -> None:
        for name, value in values.items():
            self._gauges[name].set(value)


def tell_validation(run: str, psnr: float, pixels_right: float) -> None:
    """The last validation of a VAE in training."""
    meanings = {"psnr": "PSNR on held-out pictures in dB", "pixels_right": "share of held-out pixels within 16/255"}
    gauges = _gauges("swiggle_validation_", meanings, {"run": run})
    gauges["psnr"].set(psnr)
    gauges["pixels_right"].set(pixels_right)


class TrialMetrics:
    """One dictionary of a sweep, told by its trial."""

    def __init__(self, run: str, trial: str) -> None:
        meanings = {
            "epoch": "epochs done",
            "loss": "training loss",
            "fvu": "share of the held-out variance that is not explained",
            "l0": "features active in a held-out latent",
            "dead": "share of features that never fire on held-out latents",
            "decoder_loss_recovered": "of the loss in pixels that the mean latent has, the share recovered",
        }
        self._gauges = _gauges("swiggle_sweep_", meanings, {"run": run, "trial": trial})

    def epoch(self, number: int, terms: Mapping[str, float]) -> None:
        """After an epoch; `terms` are those of the loss."""
        self._gauges["epoch"].set(number)
        self._gauges["loss"].set(terms["loss"])

    def measured(self, metrics: Mapping[str, Any]) -> None:
        """After held-out metrics were taken."""
        for name in SHOWN_OF_TRIAL:
            self._gauges[name].set(metrics[name])
