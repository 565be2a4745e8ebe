"""Named starting points for a `RunConfig`. The comment at each says what it is for and what it costs."""

from collections.abc import Callable

from swiggle.config import AtlasConfig, DataConfig, RunConfig, SAEConfig, SweepConfig, VAEConfig


def quick() -> RunConfig:
    """What `make demo` runs: 50,000 characters at their native 32 x 32, about 20 minutes on two cores."""
    return RunConfig(
        preset="quick",
        run="runs/demo",
        vae=VAEConfig(
            image_size=32,
            encoder="dense",
            decoder="dense",
            hidden=1024,
            steps=9_000,
            batch_size=128,
            lr=1.5e-3,
            lr_warmup_steps=200,
            lr_decay="linear",
            weight_decay=0.01,
            kl_free_steps=0,
            kl_warmup_steps=0,
            colour_weight=3e-4,
            ema_decay=0.998,
            checkpoint_every=500,
        ),
    )


def full() -> RunConfig:
    """`quick` trained for longer: the VAE takes an hour on two cores. At the end it only has to draw well."""
    config = quick()
    config.preset = "full"
    config.run = "runs/full"
    config.vae.steps = 90_000
    config.vae.colour_fade = 0.2
    config.vae.checkpoint_every = 3_000
    config.sae.epochs = 120
    return config


def paper() -> RunConfig:
    """The faithful model at 128 x 128: two million steps, a job for GPUs. What is faithful is the default."""
    return RunConfig(
        preset="paper",
        run="runs/paper",
        vae=VAEConfig(checkpoint_every=10_000, max_failures=100),
    )


def paper_colours() -> RunConfig:
    """`paper` with what the `quick` model adds: a linear readout of colours, which gives every colour a direction."""
    config = paper()
    config.preset = "paper_colours"
    config.run = "runs/paper_colours"
    config.vae.colour_weight = 3e-4
    return config


def smoke() -> RunConfig:
    """The whole path in two minutes, just good enough that an edit can be told from chance: for tests."""
    config = quick()
    config.preset = "smoke"
    config.run = "runs/smoke"
    config.data = DataConfig(count=10_000)
    config.vae.hidden = 512
    config.vae.steps = 800
    config.vae.lr = 3e-3
    config.vae.checkpoint_every = 200
    config.vae.validation_pictures = 200
    config.sae = SAEConfig(features=1_024, epochs=30, batch_size=256, checkpoint_every=10)
    config.sweep = SweepConfig(l1=[0.5, 1.5])
    config.atlas = AtlasConfig(samples=8, ablations=2, sweep_pictures=2)
    return config


PRESETS: dict[str, Callable[[], RunConfig]] = {
    preset.__name__: preset for preset in (quick, full, paper, paper_colours, smoke)
}
