"""A bundle: everything a run produces and everything else loads.

bundle = swiggle.Bundle.load("runs/demo")
z = bundle.encode(images)                                   # uint8 [N, S, S, 3] -> float32 [N, 4, 8, 8]
plan = bundle.plan("give it a pizza head", images[0])
edited = bundle.edit(images, plan)                          # uint8 [N, S, S, 3]
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from filelock import FileLock
from huggingface_hub import snapshot_download

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.entries import hand_entries, made_entries
from swiggle.atlas.hand_labels import NAMELESS, HandLabelFile, labelled_dictionaries
from swiggle.atlas.index import LabelIndex, open_chroma, open_locally
from swiggle.data.palette import palette_of
from swiggle.data.pixels import decode_picture
from swiggle.editing.class_mean_composer import composer_for
from swiggle.editing.composer import Composer, Picture, PromptPlan
from swiggle.editing.plan import EditPlan
from swiggle.editing.planner import Planner
from swiggle.editing.snapping import native_size, snapped
from swiggle.editing.steering import Steering
from swiggle.errors import SwiggleError
from swiggle.manifest import NAME, PARTS, BundleError, dictionary_of, read_manifest
from swiggle.models.vae import VAE
from swiggle.prompts.endpoint_reader import reader_from_environment
from swiggle.sae.model import SparseAutoencoder
from swiggle.storage import cache_folder, copy_out, is_local, join, local_path, read_json

log = logging.getLogger(__name__)
_DECODE_BATCH = 256
_COLOURS = 256
_PALETTE_PICTURES = 4_096
"""Of the atlas's pictures, how many are looked at for the palette."""


@dataclass
class Bundle:
    """Models, atlas and manifest, loaded. NumPy in, NumPy out."""

    folder: Path
    manifest: dict[str, Any]
    vae: VAE
    sae: SparseAutoencoder
    atlas: Atlas

    @classmethod
    def load(cls, location: str | Path, device: torch.device | str = "cpu") -> "Bundle":
        """Load from a local folder, `hf://owner/name`, or any URI that pyarrow's filesystems understand. Models are put
        on a device; `auto` is a GPU where there is one.

        Raises `BundleError` naming the file that is missing or damaged.
        """
        folder = local_folder(str(location))
        manifest = read_manifest(folder)
        try:
            if device == "auto":
                device = "cuda" if torch.cuda.is_available() else "cpu"
            vae = VAE.from_pretrained(folder / "vae", device)
            sae = SparseAutoencoder.from_pretrained(folder / "sae", device)
            bundle = cls(folder, manifest, vae, sae, Atlas.load(folder / "atlas"))
        except (SwiggleError, OSError) as error:
            raise BundleError(f"{folder}: {error}") from error
        labelled = labelled_dictionaries(folder)
        if bundle.dictionary in labelled:
            if (folder / NAMELESS).exists():
                kept = bundle.hand_labels.path
                log.warning("%s names no dictionary and is not applied: there is %s", folder / NAMELESS, kept)
        elif labelled:
            log.warning(
                "%s has hand labels of dictionary %s, and its own is %s: they are not applied; "
                "python -m jobs.labels move %s %s carries over what agrees",
                *(folder, labelled[0], bundle.dictionary, folder, folder),
            )
        return bundle

    @property
    def image_size(self) -> int:
        """The side of the pictures that `encode` expects, in pixels."""
        return self.vae.config.image_size

    @property
    def dictionary(self) -> str:
        """The id of the dictionary: plans, hand labels and links name the one that they were made with."""
        return dictionary_of(self.manifest)

    @property
    def hand_labels(self) -> HandLabelFile:
        """The labels by hand beside the bundle's files."""
        return HandLabelFile(self.folder, self.dictionary)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Pictures uint8 [N, S, S, 3] to posterior means float32 [N, C, h, w]. Raises ValueError for another shape."""
        expected = (self.image_size, self.image_size, 3)
        if images.dtype != np.uint8 or images.shape[1:] != expected:
            raise ValueError(
                f"images must be uint8 [N, {', '.join(map(str, expected))}], not {images.dtype} {images.shape}"
            )
        return self.vae.encode_images(images)

    @torch.inference_mode()
    def activations(self, latents: np.ndarray) -> np.ndarray:
        """Latents [N, C, h, w] to feature activations float32 [N, features], lengths in latent space."""
        return self.sae.encode(torch.from_numpy(latents).flatten(1).to(self.sae.device)).cpu().numpy()

    @torch.inference_mode()
    def reconstruct(self, latents: np.ndarray) -> np.ndarray:
        """The dictionary's reconstruction of latents [N, C, h, w], same shape."""
        z = torch.from_numpy(latents).flatten(1).to(self.sae.device)
        return self.sae(z)[0].cpu().numpy().reshape(latents.shape)

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Latents [N, C, h, w] to pictures uint8 [N, S, S, 3]."""
        return self.vae.decode_images(latents)

    def plan(self, prompt: str, image: np.ndarray | None = None) -> EditPlan:
        """The plan for a prompt. With the picture uint8 [S, S, 3] it is to be applied to, the plan clears what stands
        in the way there; without one, what usually does."""
        return self.explain(prompt, image).plan

    def explain(self, prompt: str, image: np.ndarray | None = None) -> PromptPlan:
        """Like `plan`, with the reason for each request's operations."""
        if image is None:
            return self.planner.plan(prompt)
        latents = self.encode(image[None])
        return self.planner.plan(prompt, Picture(self.activations(latents)[0], latents[0].ravel()))

    def edit(self, images: np.ndarray, plan: EditPlan, snap: bool = False) -> np.ndarray:
        """Apply a plan to pictures uint8 [N, S, S, 3]; same shape. A swap's `from` is the index of a picture here.
        `snap` makes crisp pixel art of the result, in the colours of the training pictures."""
        latents = torch.from_numpy(self.encode(images))
        sources = {str(i): torch.from_numpy(row) for i, row in enumerate(self.activations(latents.numpy()))}
        edited = np.concatenate([self.steering.steer(part, plan, sources) for part in latents.split(_DECODE_BATCH)])
        return self.snap(edited) if snap else edited

    def snap(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures uint8 [N, S, S, 3] at the resolution and in the colours that training pictures were drawn in."""
        palette, native = self._drawn_in
        return snapped(pictures, palette, native)

    @cached_property
    def _drawn_in(self) -> tuple[np.ndarray, int]:
        """The palette of the training pictures that the atlas keeps, uint8 [colours, 3], and their native side."""
        kept = [self.atlas.pictures[number] for number in sorted(self.atlas.pictures)[:_PALETTE_PICTURES]]
        pictures = np.stack([decode_picture(content) for content in kept])
        return palette_of(pictures, _COLOURS), native_size(pictures)

    @cached_property
    def steering(self) -> Steering:
        return Steering(self.vae, self.sae, self.atlas.mean_activation, self.dictionary)

    @cached_property
    def composer(self) -> Composer:
        return composer_for(self.atlas, self.sae.rows(), self.dictionary)

    @cached_property
    def planner(self) -> Planner:
        return self.planner_with(self.open_index())

    def planner_with(self, index: LabelIndex) -> Planner:
        return Planner(self.atlas, index, self.sae.rows(), reader=reader_from_environment(), dictionary=self.dictionary)

    def open_index(self, chroma: str | None = None, by_hand: Mapping[int, str] | None = None) -> LabelIndex:
        """The label index, with labels by hand over it, by default those there are now. `chroma`: `http://host:port` or
        `https://host:port` of a server or a folder; by default a folder in the bundle, or in the cache where the bundle
        cannot be written to. Raises `ChromaAway` for a server that does not answer, `LabelError` for damaged labels."""
        made = made_entries(self.atlas)
        stored = pq.read_table(self.folder / "index" / "labels.parquet").to_pydict()
        vectors = dict(zip(stored["feature"], stored["embedding"], strict=True))
        known = np.array([vectors[entry.feature] for entry in made], np.float32)
        if chroma is not None and "://" in chroma:
            index = LabelIndex(open_chroma(chroma), made, known)
        else:
            own = [self.folder / "index" / "chroma", cache_folder() / "chroma"]
            index = open_locally([Path(chroma)] if chroma else own, made, known)
        labels = self.hand_labels.read().labels if by_hand is None else by_hand
        index.label_by_hand(hand_entries(labels, self.atlas.vocabulary))
        return index


def local_folder(location: str) -> Path:
    """A bundle's folder on this machine; a remote one is copied to the cache once, `~/.cache/swiggle` or
    SWIGGLE_CACHE."""
    if location.startswith("hf://"):
        return Path(snapshot_download(location.removeprefix("hf://")))
    if is_local(location):
        return local_path(location)
    # Named by its content: a bundle that was replaced at the same place is copied anew.
    manifest = read_json(join(location, NAME))
    if manifest is None:
        raise BundleError(f"{join(location, NAME)}: there is no such file; only a finished run has it")
    content = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
    cache = cache_folder() / content[:32]
    cache.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{cache}.lock"):  # several replicas start on a node at once; one of them copies
        if not cache.exists():
            partial = cache.with_name(cache.name + ".partial")
            shutil.rmtree(partial, ignore_errors=True)
            copy_out(location, partial, (*PARTS, NAME))
            partial.rename(cache)
    return cache
