"""A trained VAE in two figures: pictures beside their reconstructions, and the curves of its training."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from swiggle.training.vae_events import Curve


def draw_reconstructions(originals: np.ndarray, decoded: np.ndarray, path: Path) -> None:
    """Three rows of a PNG: originals uint8 [n, S, S, 3], what came back, and their absolute difference."""
    difference = np.abs(originals.astype(np.int16) - decoded.astype(np.int16)).astype(np.uint8)
    rows = {"original": originals, "reconstruction": decoded, "difference": difference}
    figure = Figure(figsize=(1.1 * len(originals), 3.6), layout="constrained")
    for axis, (name, pictures) in zip(figure.subplots(3, 1), rows.items(), strict=True):
        axis.imshow(np.concatenate(list(pictures), axis=1), interpolation="nearest")
        axis.set(xticks=[], yticks=[], ylabel=name)
        axis.spines[:].set_visible(False)
    figure.savefig(path, dpi=120)


def draw_curves(curves: Mapping[str, Curve], path: Path) -> None:
    """Write a PNG: PSNR and pixels right on validation, training error, KL by channel, gradient norm and speed."""
    figure = Figure(figsize=(13, 7), layout="constrained")
    psnr, right, error, kl, gradient, speed = figure.subplots(2, 3).flat
    plots = (
        (psnr, ("train/psnr", "validation/psnr"), "PSNR, dB", "linear"),
        (right, ("validation/pixels_within_16",), "pixels within 16/255, validation", "linear"),
        (error, ("train/error",), "squared error a pixel value, training", "log"),
        (kl, tuple(sorted(n for n in curves if n.startswith("train_kl_channel/"))), "KL by channel, nats", "linear"),
        (gradient, ("train/gradient_norm",), "gradient norm before clipping", "log"),
        (speed, ("train/images_per_second",), "images a second", "linear"),
    )
    for axis, names, title, scale in plots:
        for name in names:
            if name in curves:
                axis.plot(*curves[name], linewidth=1, label=name)
        axis.set(title=title, xlabel="step", yscale=scale)
        if len(names) > 1:
            axis.legend(fontsize="small")
    figure.savefig(path, dpi=110)
