"""What jobs tell Prometheus, beside what Ray tells of itself. Ray exports each name with `ray_` before it."""

from typing import Any

from ray.util.metrics import Gauge

from swiggle.storage import shown

MEANINGS = {
    "train": {
        "step": "steps done",
        "images_per_second": "pictures trained on per second by all workers",
        "loss": "training loss, mean over workers",
        "psnr": "PSNR of the training batch in dB",
    },
    "validation": {
        "psnr": "PSNR on held-out pictures in dB",
        "pixels_right": "share of held-out pixels within 16/255",
    },
    "sweep": {
        "epoch": "epochs done",
        "loss": "training loss",
        "fvu": "share of the held-out variance that is not explained",
        "l0": "features active in a held-out latent",
        "dead": "share of features that never fire on held-out latents",
        "decoder_loss_recovered": "of the loss in pixels that the mean latent has, the share recovered",
    },
}
"""Of a VAE in training, of its last validation, and of one trial of a sweep; `swiggle_train_step` is the first name."""


class Gauges:
    """Those of one kind, with tags that tell whose they are."""

    def __init__(self, kind: str, **tags: str) -> None:
        meanings = MEANINGS[kind].items()
        self._gauges = {name: Gauge(f"swiggle_{kind}_{name}", said, tag_keys=tuple(tags)) for name, said in meanings}
        for gauge in self._gauges.values():
            gauge.set_default_tags(tags)

    def set(self, **values: Any) -> None:
        """Numbers by name."""
        for name, value in values.items():
            self._gauges[name].set(value)


def run_of(uri: str) -> str:
    """The run that a working folder of a stage belongs to, as it is shown."""
    return shown(uri).partition("?")[0].partition("/train_vae/")[0]
