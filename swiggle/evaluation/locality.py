"""How local a latent is: whether the pixels that change when a cell moves lie where the cell is."""

import numpy as np
import torch

from swiggle.models.vae import VAE


@torch.inference_mode()
def locality(vae: VAE, latents: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Share of squared pixel change inside a cell's neighbourhood when that cell moves.

    Each cell of each latent, float32 [N, C, h, w], is replaced in turn by the same cell of another latent. The
    neighbourhood is the cell and the eight around it (12 x 12 pixels of a picture of 32 x 32). `share` is pooled over
    cells and pictures, and left out where nothing changes because the latents do not differ; `by_chance` is what a
    decoder that spreads its changes evenly would reach.
    """
    count, _, height, width = latents.shape
    z = torch.from_numpy(latents).to(vae.device)
    other = z[torch.from_numpy(np.random.default_rng(seed).permutation(count))]
    before = vae.decode(z)
    cell = before.shape[-1] // width
    inside = total = area = 0.0
    for row in range(height):
        for column in range(width):
            moved = z.clone()
            moved[:, :, row, column] = other[:, :, row, column]
            change = (vae.decode(moved) - before).square().sum(dim=(0, 1))
            rows = slice(max(row - 1, 0) * cell, (row + 2) * cell)
            columns = slice(max(column - 1, 0) * cell, (column + 2) * cell)
            inside += float(change[rows, columns].sum())
            total += float(change.sum())
            area += change[rows, columns].numel() / change.numel()
    chance = {"by_chance": area / (height * width)}
    return {"share": inside / total, **chance} if total else chance
