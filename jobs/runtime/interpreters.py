"""The Ray Data actors of the atlas: each holds the models and turns a batch of rows into another."""

import numpy as np
import pyarrow as pa
import torch

from jobs.runtime.cluster import granted_device, quiet
from swiggle.atlas.activations import Activations, activations_of, to_table
from swiggle.atlas.attribution import shares
from swiggle.atlas.previews import Ablation, ablate, preview
from swiggle.atlas.statistics import CoActivation, FeatureStatistics, Summary
from swiggle.atlas.sweeps import sweep
from swiggle.data.latents import of_split
from swiggle.data.pixels import encode_png, encode_small_png, encode_webp, resize
from swiggle.models.vae import VAE
from swiggle.sae.model import SparseAutoencoder
from swiggle.storage import local_copy

TILE = 32
"""Side of the pictures in strips and ablations, pixels."""


class _WithDictionary:
    def __init__(self, sae: str) -> None:
        quiet()
        torch.set_num_threads(1)
        with local_copy(sae) as folder:
            self.sae = SparseAutoencoder.from_pretrained(folder, granted_device())

    def latents(self, batch: pa.Table) -> np.ndarray:
        """The column `latent` as float32 [rows, latent_dim]."""
        flat = batch["latent"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(-1, self.sae.config.latent_dim).copy()


class FeatureActivations(_WithDictionary):
    """Latents in, sparse activations out: columns `id`, `feature`, `activation`."""

    def __call__(self, batch: pa.Table) -> pa.Table:
        return to_table(batch["id"].to_numpy(), activations_of(self.sae, self.latents(batch)))


class Summaries(_WithDictionary):
    """Latents in, a row with the `Summary` of those of the training split out."""

    def __init__(self, sae: str, examples: int, sample: int) -> None:
        super().__init__(sae)
        self.kept = (examples, sample)

    def __call__(self, batch: pa.Table) -> dict[str, np.ndarray]:
        batch = of_split(batch, "train")
        found = Activations(batch["id"].to_numpy(), activations_of(self.sae, self.latents(batch)))
        return wrapped(Summary.of(found, *self.kept))


class CoActivations(_WithDictionary):
    """Latents in, a row with the `CoActivation` of those of the training split out."""

    def __init__(self, sae: str, statistics: FeatureStatistics) -> None:
        super().__init__(sae)
        self.levels = (statistics.mean_activation, statistics.max_activation)

    def __call__(self, batch: pa.Table) -> dict[str, np.ndarray]:
        latents = self.latents(of_split(batch, "train"))
        return wrapped(CoActivation.of(activations_of(self.sae, latents), latents, *self.levels))


class FeaturePictures(_WithDictionary):
    """Features in, what they look like and what they do out: previews, ablations, footprint, sweeps."""

    def __init__(self, vae: str, sae: str, levels: np.ndarray, fixed: np.ndarray, places: int) -> None:
        """`levels` [features], mean activations; `fixed` [P, latent_dim], the pictures on which features are swept; how
        many `places` own pixels."""
        super().__init__(sae)
        with local_copy(vae) as folder:
            self.vae = VAE.from_pretrained(folder, granted_device())
        self.levels = levels.copy()  # what Ray hands over cannot be written to, which torch warns of
        self.fixed = torch.tensor(fixed).view(-1, *self.vae.latent_shape)
        self.places = places

    def __call__(self, batch: dict[str, np.ndarray]) -> pa.Table:
        """Columns `feature`, and of k examples `latents` [k, latent_dim], `activations` [k], 0 for none, and
        `owners` [k, 32, 32] of their pixels."""
        features = batch["feature"]
        drawn = preview(self.vae, self.sae, features, self.levels[features])
        examples = zip(features, batch["latents"], batch["activations"], strict=True)
        ablations = [self._ablate(*example) for example in examples]
        footprints = np.stack([found.footprint for found in ablations])
        seen = [owner[active > 0] for owner, active in zip(batch["owners"], batch["activations"], strict=True)]
        acting = [shares(found.moved, owner, self.places) for found, owner in zip(ablations, seen, strict=True)]
        turned = sweep(self.vae, self.sae, self.fixed, features, self.levels, footprints)
        floats, ids = pa.list_(pa.float32()), pa.list_(pa.int64())
        return pa.table(
            {
                "id": features,
                "one_hot": [encode_png(picture) for picture in drawn.one_hot],
                "natural": [encode_png(picture) for picture in drawn.natural],
                "footprint": pa.array(list(footprints.reshape(len(features), -1)), floats),
                "acting": pa.array(acting, floats),
                "ablation": [encode_webp(ablation_sheet(found)) if len(found.change) else b"" for found in ablations],
                "ablation_change": pa.array([found.change for found in ablations], floats),
                "slider_low": turned.low.astype(np.float32),
                "slider_high": turned.high.astype(np.float32),
                "seen": pa.array(list(turned.seen.astype(np.float32)), floats),
                "side_effect": turned.outside.astype(np.float32),
                "side_effect_ids": pa.array([[i for i, _ in moved] for moved in turned.moved], ids),
                "side_effect_strengths": pa.array([[by for _, by in moved] for moved in turned.moved], floats),
                "strip": [encode_small_png(in_a_row(strip)) for strip in turned.strips],
            }
        )

    def _ablate(self, feature: int, latents: np.ndarray, activations: np.ndarray) -> Ablation:
        active = activations > 0
        shown = torch.from_numpy(latents[active].copy()).view(-1, *self.vae.latent_shape)
        return ablate(self.vae, self.sae, int(feature), shown, torch.from_numpy(activations[active].copy()))


def wrapped(part: object) -> dict[str, np.ndarray]:
    """One row that holds an object, which is merged with others and never stored."""
    cell = np.empty(1, dtype=object)
    cell[0] = part
    return {"part": cell}


def in_a_row(pictures: np.ndarray) -> np.ndarray:
    """Pictures [n, S, S, 3] side by side, each brought to 32 x 32."""
    return np.concatenate([resize(picture, TILE) for picture in pictures], axis=1)


def ablation_sheet(ablation: Ablation) -> np.ndarray:
    """Three rows of pictures: before, after, difference."""
    return np.concatenate([in_a_row(part) for part in (ablation.before, ablation.after, ablation.difference)])
