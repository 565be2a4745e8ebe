"""What a dictionary is worth, on held-out latents. Definitions are those of docs/architecture.md.

Sums run over the whole held-out set; ratios are taken once at the end, never averaged over batches.
"""

import numpy as np
import torch
from torch import Tensor

from swiggle.blocks import rows_at_once
from swiggle.models.vae import VAE
from swiggle.sae.model import SparseAutoencoder

HISTOGRAM_EDGES = np.linspace(-5.0, 0.0, 26)
"""Edges of the log10 density histogram."""


@torch.inference_mode()
def dictionary_metrics(sae: SparseAutoencoder, latents: Tensor) -> dict[str, float | list[int]]:
    """Metrics of a folded autoencoder on raw latents [N, latent_dim].

    `l0` mean active features a latent, with quantiles; `fvu` = sum ||z - z^||^2 / sum ||z - mean||^2, where nothing
    varies 0 if all comes back and 1 if not (as in scikit-learn's R2); `cosine` and
    `shrinkage` = mean ||z^|| / ||z||; `dead` share of features that never fire here; `dense` share that fire on more
    than a tenth; `density_histogram` counts of log10 density over `HISTOGRAM_EDGES`, dead features left out.
    """
    fired = torch.zeros(sae.config.features, device=sae.device)
    l0, cosine, shrinkage = [], [], []
    squared_error = 0.0
    for part in latents.split(min(4096, rows_at_once(sae.config.features))):
        batch = part.to(sae.device)
        reconstruction, activations = sae(batch)
        active = activations > 0
        fired += active.sum(dim=0)
        l0.append(active.sum(dim=1))
        squared_error += (batch - reconstruction).square().sum(dtype=torch.float64).item()
        cosine.append(torch.cosine_similarity(batch, reconstruction))
        shrinkage.append(reconstruction.norm(dim=1) / batch.norm(dim=1))
    variation = (latents - latents.mean(dim=0)).square().sum(dtype=torch.float64).item()
    rounding = 1e-12 * latents.square().sum(dtype=torch.float64).item()
    counts = torch.cat(l0).float()
    density = (fired / len(latents)).cpu().numpy()
    histogram, _ = np.histogram(np.log10(density[density > 0]), bins=HISTOGRAM_EDGES)
    return {
        "l0": counts.mean().item(),
        "l0_p10": counts.quantile(0.1).item(),
        "l0_p90": counts.quantile(0.9).item(),
        "fvu": squared_error / variation if variation > rounding else float(squared_error > rounding),
        "cosine": torch.cat(cosine).mean().item(),
        "shrinkage": torch.cat(shrinkage).mean().item(),
        "dead": float((density == 0).mean()),
        "dense": float((density > 0.1).mean()),
        "density_histogram": histogram.tolist(),
    }


@torch.inference_mode()
def decoder_loss_recovered(vae: VAE, sae: SparseAutoencoder, images: np.ndarray, mean_latent: Tensor) -> float:
    """(l(D(z0)) - l(D(z^))) / (l(D(z0)) - l(D(z))), l the squared pixel error against the pictures and z0 the mean
    latent [latent_dim]. images: uint8 [N, s, s, 3]. 1 means the dictionary loses nothing that can be seen. Where D(z0)
    is as good as D(z), so that there is nothing to recover, 1 if D(z^) is too and 0 if not."""
    errors = np.zeros(3)
    for start in range(0, len(images), 128):
        pictures = vae.pictures(images[start : start + 128])
        z = vae.encode(pictures).mean
        reconstructed = sae(z.flatten(1).to(sae.device))[0].to(vae.device).view_as(z)
        constant = mean_latent.to(vae.device).view(1, *z.shape[1:]).expand_as(z)
        for column, latents in enumerate((constant, reconstructed, z)):
            decoded = vae.decode(latents).clamp(-1.0, 1.0)
            errors[column] += (decoded - pictures).square().sum(dtype=torch.float64).item()
    rounding = 1e-6 * errors[2]
    if abs(errors[0] - errors[2]) <= rounding:
        return float(errors[1] <= errors[2] + rounding)
    return float((errors[0] - errors[1]) / (errors[0] - errors[2]))
