"""One dictionary by each package, on the same latents, for the same steps and batches, as a dictionary of ours.

Latents come as ours are trained on (`swiggle/sae/inputs.py`). Every package computes in bfloat16 where the processor
has it, with Adam, a gradient norm of at most 1, and a learning rate that falls to zero over the last fifth; what asks
for sparsity rises over the first twentieth. Everything else is as each package has it.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import torch
from torch import Tensor

from swiggle.config import SAEArchitecture, SAEConfig
from swiggle.precision import has_bf16
from swiggle.sae.epochs import train_sae
from swiggle.sae.inputs import Inputs, times
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import whitening_of
from swiggle.sae.saelens import import_saelens
from swiggle.training.order import batch_indices
from swiggle.training.schedule import fall_at_the_end

DECAY_SHARE = SAEConfig.lr_decay_share
WARMUP_SHARE = SAEConfig.sparsity_warmup_share


def ours(latents: Tensor, config: SAEConfig) -> SparseAutoencoder:
    *_, last = train_sae(latents, config)
    return last.folded()


def batches(latents: Tensor, config: SAEConfig) -> Iterator[Tensor]:
    """The same batches as ours, epoch after epoch."""
    seen = Inputs.of(latents, whitening_of(config))(latents)
    for step in range(steps_of(latents, config)):
        indices = batch_indices(step, config.batch_size, len(latents), config.seed)
        yield seen[torch.from_numpy(indices)]


def steps_of(latents: Tensor, config: SAEConfig) -> int:
    return config.epochs * (len(latents) // config.batch_size)


def bf16() -> torch.autocast:
    """Without its cache, which would keep the weights of the first step for a whole training."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bf16(torch.device("cpu")), cache_enabled=False)


def folded(weights: dict[str, Tensor], config: SAEArchitecture, inputs: Inputs) -> SparseAutoencoder:
    """Weights that take `inputs` of latents, as a function of raw ones with unit decoder rows."""
    rows, columns = times(weights["W_dec"], inputs.inverse), times(weights["W_enc"].T, inputs.matrix).T
    norms = rows.norm(dim=1).clamp_min(1e-12)
    sae = SparseAutoencoder(config)
    with torch.no_grad():
        sae.W_dec.copy_(rows / norms[:, None])
        sae.W_enc.copy_(columns * norms)
        sae.b_enc.copy_((weights["b_enc"] - inputs.mean @ columns) * norms)
        sae.b_dec.copy_(times(weights["b_dec"], inputs.inverse) + inputs.mean)
        sae.threshold.copy_(weights["threshold"] * norms)
    return sae.eval()


def saelens(latents: Tensor, config: SAEConfig) -> SparseAutoencoder:
    """`StandardTrainingSAE`, or BatchTopK or TopK as the objective says, by its own trainer with its own autocast."""
    from sae_lens import (
        BatchTopKTrainingSAE,
        BatchTopKTrainingSAEConfig,
        StandardTrainingSAE,
        StandardTrainingSAEConfig,
        TopKTrainingSAE,
        TopKTrainingSAEConfig,
    )
    from sae_lens.config import LoggingConfig, SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    torch.manual_seed(config.seed)
    steps, size = steps_of(latents, config), {"d_in": latents.shape[1], "d_sae": config.features}
    if config.objective == "batch_topk":
        model = BatchTopKTrainingSAE(BatchTopKTrainingSAEConfig(**size, k=float(config.k)))
    elif config.objective == "topk":
        model = TopKTrainingSAE(TopKTrainingSAEConfig(**size, k=config.k))
    else:
        warmup = round(steps * WARMUP_SHARE)
        model = StandardTrainingSAE(
            StandardTrainingSAEConfig(**size, l1_coefficient=config.l1, l1_warm_up_steps=warmup)
        )
    how = SAETrainerConfig(
        total_training_samples=steps * config.batch_size,
        train_batch_size_samples=config.batch_size,
        device="cpu",
        lr=config.lr,
        lr_end=0.0,
        lr_scheduler_name="constant",
        lr_warm_up_steps=0,
        lr_decay_steps=round(steps * DECAY_SHARE),
        n_restart_cycles=1,
        adam_beta1=0.9,
        adam_beta2=0.999,
        autocast=has_bf16(latents.device),
        dead_feature_window=len(latents) // config.batch_size,  # a pass, as ours: 1,000 steps would be all there are
        feature_sampling_window=2_000,
        n_checkpoints=0,
        checkpoint_path=None,
        save_final_checkpoint=False,
        logger=LoggingConfig(log_to_wandb=False),
    )
    trained = SAETrainer(how, model, data_provider=batches(latents, config)).fit()
    with tempfile.TemporaryDirectory() as saved:
        trained.save_inference_model(saved)
        sae = import_saelens(Path(saved))
    names = ("W_enc", "W_dec", "b_enc", "b_dec", "threshold")
    return folded({name: getattr(sae, name) for name in names}, sae.config, Inputs.of(latents, whitening_of(config)))


def dictionary_learning(latents: Tensor, config: SAEConfig) -> SparseAutoencoder:
    """`StandardTrainerAprilUpdate`, which has no autocast of its own."""
    from dictionary_learning.trainers.standard import StandardTrainerAprilUpdate

    steps = steps_of(latents, config)
    trainer = StandardTrainerAprilUpdate(
        steps=steps,
        activation_dim=latents.shape[1],
        dict_size=config.features,
        layer=0,
        lm_name="latents",
        lr=config.lr,
        l1_penalty=config.l1,
        warmup_steps=0,
        sparsity_warmup_steps=round(steps * WARMUP_SHARE),
        decay_start=round(steps * (1 - DECAY_SHARE)),
        seed=config.seed,
        device="cpu",
    )
    with bf16():
        for step, batch in enumerate(batches(latents, config)):
            trainer.update(step, batch)
    w_enc, w_dec, bias = trainer.ae.encoder.weight.T, trainer.ae.decoder.weight.T, trainer.ae.bias
    weights = {"W_enc": w_enc, "W_dec": w_dec, "b_enc": trainer.ae.encoder.bias - bias @ w_enc, "b_dec": bias}
    weights["threshold"] = torch.zeros(config.features)
    return folded(weights, config, Inputs.of(latents, whitening_of(config)))


def overcomplete(latents: Tensor, config: SAEConfig) -> SparseAutoencoder:
    """`TopKSAE` by its `train_sae`, with the schedule from outside, as it expects."""
    # overcomplete 0.3 asks for what matplotlib 3.9 took away, while it is imported.
    vars(matplotlib.cm).setdefault("get_cmap", matplotlib.colormaps.get_cmap)
    from overcomplete.sae import TopKSAE
    from overcomplete.sae import train_sae as train_theirs

    torch.manual_seed(config.seed)
    steps = steps_of(latents, config)
    model = TopKSAE(latents.shape[1], nb_concepts=config.features, top_k=config.k)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: fall_at_the_end(step, steps, DECAY_SHARE))

    def error(x: Tensor, reconstruction: Tensor, *_: Tensor) -> Tensor:
        return (reconstruction - x).square().sum(dim=1).mean()

    with bf16():
        train_theirs(model, list(batches(latents, config)), error, optimizer, schedule, nb_epochs=1, monitoring=0)
    encoder = model.encoder.final_block[0]
    weights = {
        "W_enc": encoder.weight.T,
        "W_dec": model.get_dictionary(),
        "b_enc": encoder.bias,
        "b_dec": torch.zeros(latents.shape[1]),
        "threshold": torch.zeros(config.features),
    }
    return folded(weights, config, Inputs.of(latents, whitening_of(config)))


TRAINERS: dict[str, Callable[[Tensor, SAEConfig], SparseAutoencoder]] = {
    "swiggle": ours,
    "sae-lens": saelens,
    "dictionary-learning": dictionary_learning,
    "overcomplete": overcomplete,
}
