"""Every knob of a run, in one place.

A `RunConfig` is a tree of plain dataclasses. `swiggle.presets` fills it for a purpose, a YAML file and
`key=value` words on the command line override it (`swiggle.overrides`). Nothing here imports torch, so a job that
only looks at its configuration starts at once.

A section is put together from up to three classes, and its keys are theirs: what a model is (`...Architecture`), how it
is trained (`...TrainingConfig`), and where and how fast that is computed (`...Execution`). What is in a class of the
last kind does not count when a stage asks whether it was done before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, NonNegativeInt

from swiggle.data.grounds import check_ground
from swiggle.sae.objectives import check_objective

Ground = Annotated[str, AfterValidator(check_ground)]
Objective = Annotated[str, AfterValidator(check_objective)]
Change = Literal["mirror", "shift", "colours"]
Start = Literal["random", "pca"]
Learning = Literal["all", "refinement"]


@dataclass
class DataConfig:
    """Where pictures come from. One schema whatever the source: id, image, caption and optional traits."""

    source: str = "nouns"
    """`nouns` or `dicebear`, which are composed, `hf://owner/name`, or what is on disk: a folder of pictures with
    whatever is said of them in it, a zip or tar archive of one, a Parquet file or a folder of them, a clone of a hub
    set (docs/own-pictures.md); `~` is expanded."""
    count: int | None = 50_000
    """How many pictures to compose (`nouns`, `dicebear`) or to take at most (any other source), not counting those that
    cannot be read; null takes all."""
    seed: int = 0
    image_column: str = "image"
    """Column of a table that holds the picture, or names its file."""
    caption_column: str | None = None
    """Column that holds the caption: a text, a list of texts, or a class. Null looks for `caption`, `text`, `prompt`,
    `tags`, `label` and their like, then for the only column of text, then for the only one of classes."""
    subset: str | None = None
    """Which one of a hub set's configurations; needed where it has several and no default."""
    split: str | None = None
    """Which one of the splits that a hub set, or a clone of one, came with; null reads all, and divides them anew."""
    ground: Ground = "white"
    """What transparent pictures stand on: the name of a colour, #rrggbb, or `checkered`. White, for most drawings with
    transparency were made for a page; another one where white parts would vanish on it."""


@dataclass
class VAEArchitecture:
    """What a variational autoencoder is made of. The defaults are the faithful `paper` model."""

    image_size: int = 128
    """S: pictures are S x S; the conv ladder gives a latent of S/16 x S/16, the dense encoder always 8 x 8."""
    latent_channels: int = 4
    encoder: Literal["conv", "dense"] = "conv"
    """`conv`: a ladder of stride-2 convolutions. `dense`: fully connected residual blocks, fast at 32 x 32 on a CPU."""
    decoder: Literal["conv", "dense"] = "conv"
    """`conv`: the ladder mirrored. `dense`: the dense encoder mirrored."""
    channels: list[int] = field(default_factory=lambda: [64, 128, 512, 1024])
    """Widths of the ladder; its length sets how often the picture is halved."""
    hidden: int = 1024
    """Width of the dense encoder and decoder."""
    blocks: int = 2
    """Residual blocks of each."""
    refine: NonNegativeInt = 0
    """Width of the convolutions that correct what the dense decoder paints (`swiggle/models/refine.py`); 0 has none."""


@dataclass
class VAETrainingConfig:
    """How the variational autoencoder is trained."""

    steps: int = 2_000_000
    batch_size: int = 64
    """Pictures a step over all workers together."""
    accumulate: int = 1
    """Parts in which a worker goes through its share of a batch: less memory, the same gradient."""
    lr: float = 1e-3
    lr_warmup_steps: int = 0
    lr_decay: Literal["constant", "linear"] = "constant"
    """`linear` falls to zero at the last step."""
    weight_decay: float = 0.0
    grad_clip: float = 1.0
    kl_weight: float = 1e-6
    """Final weight of the KL divergence, which is summed over latent dimensions."""
    kl_free_steps: int = 1_000
    """Steps with a KL weight of zero."""
    kl_warmup_steps: int = 10_000
    """Steps over which the KL weight then rises linearly."""
    colour_weight: float = 0.0
    """Weight of the error of a linear readout of colours (`swiggle/training/colour_readout.py`); 0 has none."""
    colour_fade: float = 0.0
    """Share of the steps, the last ones, over which that weight falls to zero."""
    colours: int = 64
    """Size of the palette, taken from the pictures themselves, that it reads."""
    ema_decay: float = 0.0
    """Decay a step of the moving average of the weights, which then is what is kept; 0 keeps the weights themselves."""
    bf16: Literal["auto", "always", "never"] = "auto"
    """`auto` computes in bfloat16 where the processor has instructions for it."""
    input: Literal["memory", "stream"] = "memory"
    """`memory`: all pictures as uint8 in every worker, the same batches whatever the number of workers. `stream`:
    Ray Data decodes them as they are needed, so they need not fit in memory; it needs two free CPUs."""
    shuffle_buffer: int = 8_192
    """Pictures a worker keeps to draw its batches from when they are streamed."""
    checkpoint_every: int = 1_000
    """Steps between checkpoints, each with a validation on `validation_pictures` pictures."""
    validation_pictures: int = 1_000
    """0 leaves validation out, and the last checkpoint is taken for the best."""
    patience: int | None = None
    """Validations without improvement after which training stops (`swiggle/training/patience.py`). They then take place
    in the training itself, whose end must not depend on how fast they are; null goes on to the last step."""
    start: Start = "random"
    """`pca`: dense encoder and decoder begin as the principal components of the pictures, which no later weights that
    are kept may fall below (`swiggle/training/pca_start.py`)."""
    learn: Learning = "all"
    """`refinement`: encoder and dense decoder stay as they begin, and the convolutions of `vae.refine` alone learn."""
    augment: list[Change] = field(default_factory=list)
    """Changes that pictures undergo at random (`swiggle/training/augmentation.py`): `mirror` left and right, `shift` by
    up to a sixteenth of the side, `colours` exchanges red, green and blue."""
    augment_share: float = 0.5
    """Share of the pictures that each of them befalls."""
    seed: int = 0


@dataclass
class VAEExecution:
    """Where the training of the variational autoencoder runs, how fast and how safely."""

    compile: bool = False
    """Fuse the model's kernels with `torch.compile`: minutes at the start, for little where `cuda_graph` is on."""
    cuda_graph: bool = True
    """On a GPU record a step once and replay it: several times as fast where kernels are short."""
    deterministic: bool = False
    """On a GPU take none but deterministic algorithms, so that a resumed run ends bit for bit as an unbroken one."""
    log_every: int = 50
    """Steps between the points of the curves in TensorBoard."""
    workers: int = 1
    min_workers: int | None = None
    """With this many the run starts, or goes on, when the cluster cannot hold `workers`; null waits for all."""
    cpus_per_worker: int = 2
    """Also the number of torch threads of a worker."""
    gpus_per_worker: float | None = None
    """Null: as `gpus` says; likewise wherever a share of a GPU is null."""
    validation_gpus: float | None = None
    """GPUs for the validation that runs beside the training; without one it runs on a CPU."""
    checkpoint_seconds: float | None = None
    """At least so many seconds between checkpoints, however fast `checkpoint_every` steps are; null is 5 on a GPU and 0
    elsewhere."""
    max_failures: int = 3


@dataclass
class VAEConfig(VAEExecution, VAETrainingConfig, VAEArchitecture):
    """The variational autoencoder: what it is, how it is trained, and where."""


@dataclass
class SAEArchitecture:
    """What a sparse autoencoder computes: its dictionary, and what its activation function follows from."""

    objective: Objective = "l1"
    """A file each in `swiggle/sae/objectives`; `l1` is Anthropic's of April 2024."""
    features: int = 2_048
    latent_dim: int = 256
    """Length of a flattened latent; set from the latents themselves."""
    k: int = 20
    """`topk`, `batch_topk`, `matryoshka`: active features a latent, exactly or on average."""


@dataclass
class SAETrainingConfig:
    """How a sparse autoencoder is trained."""

    whitening: float = 0.6
    """How far directions in which latents vary much are brought down to those in which they vary little: 0 not at all,
    1 to the same (`swiggle/sae/inputs.py`; `topk` takes 0)."""
    weak: float = 0.2
    """An activation below this share of its feature's mean is dropped from the finished dictionary. More makes L0
    smaller and costs FVU (`swiggle/sae/weak.py`; `topk` has none)."""
    l1: float = 1.0
    """`l1`, `l1_2023`, `jumprelu`, `matryoshka_l1`: weight of what asks for sparsity, for inputs with E||x||^2 = n."""
    prefixes: list[float] = field(default_factory=lambda: [1 / 64, 1 / 16, 1 / 4, 1.0])
    """`matryoshka`, `matryoshka_l1`: the nested dictionaries as shares of the whole."""
    aux_weight: float = 1 / 32
    """`topk`, `batch_topk`, `matryoshka`: how much the waking of dead features counts against the error."""
    bandwidth: float = 2.0
    """`jumprelu`: width of the rectangle around a threshold from which it learns, in scaled latents."""
    resample: list[float] = field(default_factory=list)
    """Shares of the training at which dead features begin anew at badly explained latents; none, as in the original."""
    epochs: int = 30
    batch_size: int = 1_024
    lr: float = 2e-3
    sparsity_warmup_share: float = 0.05
    """Share of all steps over which what asks for sparsity rises from zero."""
    lr_decay_share: float = 0.2
    """Share of all steps, at the end, over which the learning rate falls to zero."""
    decoder_init_norm: float = 0.1
    grad_clip: float = 1.0
    bf16: Literal["auto", "always", "never"] = "auto"
    checkpoint_every: int = 10
    """Epochs between checkpoints; held-out metrics are taken at the same time."""
    seed: int = 0


@dataclass
class SAEConfig(SAETrainingConfig, SAEArchitecture):
    """One sparse autoencoder: what it is and how it is trained; where is said by `sweep` and `train_sae`."""


@dataclass
class SweepExecution:
    """Where the trials of a sweep run."""

    concurrent: int | None = None
    """Trials at a time; null is 2, and with GPUs 8 on each."""
    cpus_per_trial: float = 1.0
    """Also the number of torch threads of a trial."""
    gpus_per_trial: float | None = None


@dataclass
class SweepConfig(SweepExecution):
    """Which dictionaries are trained side by side, and the rule by which one of them is chosen."""

    objectives: list[Objective] = field(default_factory=lambda: ["l1", "matryoshka_l1"])
    l1: list[float] = field(default_factory=lambda: [0.4, 0.7, 1.0, 2.0])
    """Weights for the objectives with an L1 term."""
    k: list[int] = field(default_factory=lambda: [5, 10, 16, 24, 32])
    """Active features a latent for the others."""
    features: list[int] = field(default_factory=list)
    """Dictionary sizes; none takes `sae.features`. Learning rates and seeds likewise."""
    lr: list[float] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    search: Literal["grid", "target"] = "grid"
    """`grid` trains every combination to the end. `target` has Optuna look for the least FVU with an L0 of `target_l0`
    give or take `tolerance`, between the least and the largest of the values above, and stops hopeless trials early."""
    target_l0: float = 20.0
    tolerance: float = 2.0
    samples: int = 16
    """Trials of a `target` search."""
    max_fvu: float = 0.05
    max_l0: float = 20.0
    max_dead: float = 0.25


@dataclass
class TrainSAEExecution:
    """What each worker of `jobs.train_sae` is given."""

    cpus_per_worker: int = 1
    """Also the number of torch threads of a worker."""
    gpus_per_worker: float | None = None
    max_failures: int = 3


@dataclass
class TrainSAEConfig(TrainSAEExecution):
    """How `jobs.train_sae` draws batches for one dictionary from latents that no machine holds; what it learns is
    `sae`."""

    workers: int = 1
    """What a batch holds depends on how many there are."""
    shuffle_buffer: int = 32_768
    """Latents a worker keeps to draw its batches from."""


@dataclass
class EncodeConfig:
    """Where pictures are encoded."""

    workers: int | None = None
    """Null takes `atlas.workers`."""
    gpus_per_worker: float | None = None


@dataclass
class AtlasExecution:
    """Where features are interpreted."""

    workers: int | None = None
    """Null is 1, and with GPUs 4 on each, for which pictures are read and written by as many CPUs."""
    gpus_per_worker: float | None = None


@dataclass
class AtlasConfig(AtlasExecution):
    """How features are interpreted."""

    examples: int = 9
    """Top activating pictures kept for each feature."""
    quantile_examples: int = 5
    """Pictures kept beside them, one from each of so many equal parts of those in which the feature fires."""
    ablations: int = 9
    """Of the top pictures, how many are decoded with and without the feature to see what it does and where it acts."""
    sweep_pictures: int = 4
    """Held-out pictures on which every feature is turned from strength -2 to 2."""
    neighbours: int = 8
    """Nearest features named on a feature's card."""
    caption_pictures: int = 200_000
    """Pictures of a split whose captions are read at most, for labels and for what edits remember."""
    min_confidence: float = 0.35
    """A label whose F1 as a detector, as expected on captions not seen, stays below this is `unexplained`."""
    labeller: Literal["captions", "vision"] = "captions"
    """`vision` also asks a vision model about features that captions leave unexplained (`swiggle/atlas/vision.py`)."""
    labeller_url: str = ""
    """An OpenAI-compatible endpoint, such as http://127.0.0.1:11434/v1; its key is read from the environment."""
    labeller_model: str = ""
    vocabulary: str = "auto"
    """Words for the places of a picture: the name of a composed set, whose own is taken, or a path to a YAML file.
    `auto` takes `<run>/vocabulary.yaml` where there is one, else that of a composed set, else what 500 captions or more
    suggest (`swiggle/captions/proposal.py`); with fewer there are no places, and labels are words and phrases."""
    samples: int = 64
    """Held-out pictures kept in the bundle to start an edit from."""
    umap_neighbors: int = 15
    umap_min_dist: float = 0.1
    batch_size: int = 4_096
    seed: int = 0


@dataclass
class RunConfig:
    """The whole run."""

    preset: str = "quick"
    run: str = "runs/demo"
    """Where everything goes: a local folder or any URI that pyarrow's filesystems understand."""
    dictionary: Literal["sweep_sae", "train_sae"] = "sweep_sae"
    """The stage whose dictionary is interpreted, sealed and served: a sweep's choice, or the one of `train_sae`."""
    gpus: Literal["auto"] | NonNegativeInt = "auto"
    """How many GPUs the stages share, for those of their settings that are null: `auto` takes what there is."""
    data: DataConfig = field(default_factory=DataConfig)
    vae: VAEConfig = field(default_factory=VAEConfig)
    encode: EncodeConfig = field(default_factory=EncodeConfig)
    sae: SAEConfig = field(default_factory=SAEConfig)
    sweep: SweepConfig = field(default_factory=SweepConfig)
    train_sae: TrainSAEConfig = field(default_factory=TrainSAEConfig)
    atlas: AtlasConfig = field(default_factory=AtlasConfig)


def without(settings: Mapping[str, Any], part: type) -> dict[str, Any]:
    """The settings of a section but those of one of the classes that it is put together from."""
    return {key: value for key, value in settings.items() if key not in {item.name for item in fields(part)}}
