"""The whole idea in one file: a VAE, a sparse autoencoder on its latents, one feature's picture and one edit.

    python examples/minimal.py --word cold --picture edit.png      # some two minutes on two cores

Nothing here is used by the project, and nothing of the project is used here but the pictures: this is what
`swiggle/models`, `swiggle/sae`, `swiggle/atlas` and `swiggle/editing` do, without what makes them fast, exact and safe.
From left to right the picture shows originals, their reconstructions, and the same with the feature of the word turned
on; the first column of all is the feature alone.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from swiggle.nouns.composed_nouns import composition


@dataclass
class Settings:
    """`pictures` to train on; steps, `hidden` units and `latent` numbers of the VAE; steps, `features` and L1 weight of
    the dictionary; `held_out` pictures for the figures."""

    pictures: int = 10_000
    held_out: int = 500
    batch: int = 128
    hidden: int = 512
    latent: int = 256
    vae_steps: int = 1_500
    kl_weight: float = 1e-6
    features: int = 1_024
    sae_steps: int = 3_000
    l1: float = 0.5
    seed: int = 0


class Block(nn.Module):
    """x + SiLU(linear(normalised x)): [N, hidden]."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.silu(self.linear(F.rms_norm(x, x.shape[-1:])))


class VAE(nn.Module):
    """Flat pictures [N, pixels] with values -1 to 1 to a Gaussian over latents and back (Kingma and Welling, 2013)."""

    def __init__(self, pixels: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), Block(hidden), nn.SiLU(), nn.Linear(hidden, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), Block(hidden), nn.SiLU(), nn.Linear(hidden, pixels))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the posterior, [N, latent] each."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return mean, log_variance.clamp(-20.0, 10.0)

    def loss(self, x: Tensor, kl_weight: float) -> Tensor:
        """Squared error of a pixel value, plus the KL divergence from the standard normal."""
        mean, log_variance = self.encode(x)
        sample = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=1).mean()
        return F.mse_loss(self.decoder(sample), x) + kl_weight * kl


class SAE(nn.Module):
    """Latents [N, n] to many activations of which few are active, and back: f = ReLU(z W_enc + b_enc), z^ = f W_dec +
    b_dec. A row of W_dec is what a feature adds to a latent."""

    def __init__(self, latent: int, features: int) -> None:
        super().__init__()
        rows = 0.1 * F.normalize(torch.randn(features, latent), dim=1)
        self.W_dec, self.W_enc = nn.Parameter(rows), nn.Parameter(rows.T.clone())
        self.b_enc, self.b_dec = nn.Parameter(torch.zeros(features)), nn.Parameter(torch.zeros(latent))

    def encode(self, z: Tensor) -> Tensor:
        return torch.relu(z @ self.W_enc + self.b_enc)

    def decode(self, f: Tensor) -> Tensor:
        return f @ self.W_dec + self.b_dec

    def loss(self, z: Tensor, l1: float) -> Tensor:
        """Squared error plus l1 sum_i f_i ||W_dec,i||, so that no feature escapes by a long row (Anthropic, 2024)."""
        f = self.encode(z)
        error = (self.decode(f) - z).square().sum(dim=1).mean()
        return error + l1 * (f @ self.W_dec.norm(dim=1)).mean()


def batches(rows: Tensor, size: int, steps: int) -> Iterator[Tensor]:
    """Batches of `size` rows, in a new order each time all have been seen."""
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) < size:
            order = torch.randperm(len(rows))
        yield rows[order[:size]]
        order = order[size:]


def train(name: str, model: VAE | SAE, rows: Tensor, weight: float, size: int, steps: int, lr: float) -> None:
    """Adam on the model's own loss, its learning rate falling to zero."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0 - step / steps)
    start = time.monotonic()
    for step, batch in enumerate(batches(rows, size, steps), start=1):
        loss = model.loss(batch, weight)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step == steps or step % max(1, steps // 5) == 0:
            print(f"{name}: step {step} of {steps}, loss {loss.item():.4f}, {time.monotonic() - start:.0f} s")


def feature_of(word: str, captions: list[str], f: Tensor) -> tuple[int, float]:
    """The feature whose firing says best whether a caption holds a word, and its F1. f: activations [N, features]."""
    truth = torch.tensor([word in caption.split() for caption in captions])
    fired = f > 0.25 * f.max(dim=0).values
    hits = (fired & truth[:, None]).sum(dim=0)
    f1 = 2.0 * hits / (fired.sum(dim=0) + truth.sum()).clamp_min(1)
    return int(f1.argmax()), float(f1.max())


def to_picture(x: Tensor, side: int) -> np.ndarray:
    """Flat pictures [N, pixels] to uint8 [N, S, S, 3]."""
    return x.clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8).view(-1, side, side, 3).numpy()


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Everything in order; returns the figures that it prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--word", default="cold", help="a word of captions: what to find a feature for")
    parser.add_argument("--picture", type=Path, default=Path("edit.png"), help="where to write the picture")
    for name, default in vars(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    options = vars(parser.parse_args(arguments))
    word, path, settings = options.pop("word"), options.pop("picture"), Settings(**options)
    torch.manual_seed(settings.seed)

    # 1. Pictures and captions. The last ones are held out.
    nouns = composition()
    traits = nouns.draw(settings.pictures + settings.held_out, settings.seed)
    images, captions = nouns.render(traits), nouns.captions(traits, settings.seed)
    side = images.shape[1]
    x = torch.from_numpy(images).flatten(1).float().div(127.5).sub(1.0)
    known, held_out = x[: settings.pictures], x[settings.pictures :]

    # 2. A VAE, and the latents that it gives the pictures: posterior means.
    vae = VAE(x.shape[1], settings.hidden, settings.latent)
    train("VAE", vae, known, settings.kl_weight, settings.batch, settings.vae_steps, lr=2e-3)
    with torch.no_grad():
        z, z_held_out = vae.encode(known)[0], vae.encode(held_out)[0]
        psnr = -10 * torch.log10(F.mse_loss(vae.decoder(z_held_out), held_out) / 4).item()

    # 3. A sparse dictionary of the latents, scaled to a mean norm of sqrt(n) so that its L1 weight fits any VAE.
    scale = settings.latent**0.5 / z.norm(dim=1).mean()
    sae = SAE(settings.latent, settings.features)
    train("SAE", sae, scale * z, settings.l1, 4 * settings.batch, settings.sae_steps, lr=2e-3)
    with torch.no_grad():
        f, f_held_out = sae.encode(scale * z), sae.encode(scale * z_held_out)
        rest = (sae.decode(f_held_out) - scale * z_held_out).square().sum()
        fvu = float(rest / (scale * (z_held_out - z_held_out.mean(dim=0))).square().sum())
        l0 = float((f_held_out > 0).sum(dim=1).float().mean())

        # 4. One feature: found by a word of captions, drawn alone at its mean activation, D(b_dec + a W_dec).
        feature, f1 = feature_of(word, captions[: settings.pictures], f)
        strength = f[:, feature][f[:, feature] > 0].mean()
        alone = vae.decoder((sae.b_dec + strength * sae.W_dec[feature]) / scale)[None]

        # 5. One edit: the feature turned on where it is not, z' = z + (f' - f) W_dec. What the dictionary does not
        #    explain of z stays as it is.
        chosen = (f_held_out[:, feature] == 0).nonzero().flatten()[:8]
        change = (2.0 * strength - f_held_out[chosen, feature])[:, None] * sae.W_dec[feature] / scale
        edited = vae.decoder(z_held_out[chosen] + change)
        rows = [held_out[chosen], vae.decoder(z_held_out[chosen]), edited]
    drawn = np.concatenate([to_picture(alone.expand(len(chosen), -1), side), *(to_picture(row, side) for row in rows)])
    sheet = drawn.reshape(4, len(chosen), side, side, 3).transpose(1, 2, 0, 3, 4).reshape(len(chosen) * side, -1, 3)
    Image.fromarray(sheet).resize((4 * 4 * side, 4 * len(chosen) * side), Image.Resampling.NEAREST).save(path)

    found = {"psnr": psnr, "fvu": fvu, "l0": l0, "f1": f1}
    print(f"VAE: {psnr:.1f} dB on held-out pictures. Dictionary: FVU {fvu:.3f} at {l0:.1f} active features.")
    print(f"Feature {feature} fires where captions say {word!r} with an F1 of {f1:.2f}. {path} shows it and an edit.")
    return found


if __name__ == "__main__":
    main()
