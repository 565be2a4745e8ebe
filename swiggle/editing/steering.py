"""Applying a plan to a latent: z' = z + (f' - f) W_dec.

Only the change of the activations is added. What the dictionary does not explain of z stays, so a plan without
operations leaves the latent, and its picture, as they are to the bit.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from swiggle.editing.plan import EditPlan, Mask, Operation, PlanError
from swiggle.models.vae import VAE, to_images
from swiggle.sae.model import SparseAutoencoder


class Steering:
    """Applies plans with one VAE, one dictionary and its features' mean activations [features]."""

    def __init__(
        self, vae: VAE, sae: SparseAutoencoder, mean_activation: np.ndarray, dictionary: str | None = None
    ) -> None:
        """`dictionary`: the id that plans must name, if they name one."""
        self.vae = vae
        self.dictionary = dictionary
        self.sae = sae
        self.mean_activation = torch.from_numpy(mean_activation.astype(np.float32)).to(sae.device)

    @torch.inference_mode()
    def steer(self, latents: Tensor, plan: EditPlan, sources: Mapping[str, Tensor] | None = None) -> np.ndarray:
        """Edited pictures uint8 [N, S, S, 3] of latents [N, C, h, w]. `sources` holds the activations [features] of
        each picture that a swap copies from. Raises `PlanError`.

        Operations without a mask are applied first, together; those with a mask follow as blends of pictures,
        m D(z') + (1 - m) D(z), one blend for each different mask.
        """
        (_, base), *masked = self.layers(latents, plan, sources)
        pictures = self.vae.decode(base.to(self.vae.device))
        for mask, moved in masked:
            assert mask is not None  # only the first layer has none
            pictures = torch.lerp(pictures, self.vae.decode(moved.to(self.vae.device)), cover(mask, pictures))
        return to_images(pictures)

    @torch.inference_mode()
    def layers(
        self, latents: Tensor, plan: EditPlan, sources: Mapping[str, Tensor] | None = None
    ) -> list[tuple[Mask | None, Tensor]]:
        """The edited latents [N, C, h, w], first those that the operations without a mask lead to (mask None), then
        for each mask those that its operations lead to from there; on the dictionary's device. Raises `PlanError`."""
        self._check(plan, sources or {})
        latents = latents.to(self.sae.device)
        activations = self.sae.encode(latents.flatten(1))
        changed = self._changed(activations, [o for o in plan.operations if o.mask is None], sources or {})
        base = self._moved(latents, activations, changed)
        found: list[tuple[Mask | None, Tensor]] = [(None, base)]
        for key, mask in {str(o.mask): o.mask for o in plan.operations if o.mask is not None}.items():
            masked = [o for o in plan.operations if o.mask is not None and str(o.mask) == key]
            after = self._changed(changed, masked, sources or {})
            found.append((mask, self._moved(base, changed, after)))
        return found

    def _check(self, plan: EditPlan, sources: Mapping[str, Tensor]) -> None:
        plan.check(self.dictionary)
        features = self.sae.config.features
        for number, operation in enumerate(plan.operations):
            if operation.feature >= features:
                raise PlanError(
                    f"operation {number}: there is no feature {operation.feature}, only 0 to {features - 1}"
                )
            if operation.source is not None and operation.source not in sources:
                raise PlanError(f"operation {number}: the picture to copy from was not given")

    def _changed(self, activations: Tensor, operations: Sequence[Operation], sources: Mapping[str, Tensor]) -> Tensor:
        after = activations.clone()
        for operation in operations:
            i, strength = operation.feature, operation.strength
            unit = self.mean_activation[i]
            match operation.op:
                case "add":
                    after[:, i] = (after[:, i] + strength * unit).clamp_min(0.0)
                case "set":
                    after[:, i] = strength * unit
                case "scale":
                    after[:, i] = after[:, i] * strength
                case "ablate":
                    after[:, i] = 0.0
                case "swap":
                    assert operation.source is not None
                    after[:, i] = sources[operation.source][i].to(after.device)
        return after

    def _moved(self, latents: Tensor, before: Tensor, after: Tensor) -> Tensor:
        delta = (after - before) @ self.sae.W_dec
        return latents + delta.view_as(latents)


def cover(mask: Mask, pictures: Tensor) -> Tensor:
    """A mask as [1, 1, S, S] for pictures [N, 3, S, S] on their device: every pixel has the value of the cell that its
    middle lies in."""
    cells = torch.tensor(mask, dtype=pictures.dtype, device=pictures.device)
    return F.interpolate(cells[None, None], size=pictures.shape[-2:], mode="nearest-exact")
