"""Groups of features on the map, named after the place that most of their features act on.

Clusters are found by HDBSCAN (Campello et al. 2013) on the positions; what it leaves out goes to the cluster of its
nearest neighbour. Clusters of one name are one group. Where a cluster's features do not agree it is `mixed`; without
captions, which tell places apart, it has a number instead of a name.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.cluster import HDBSCAN
from sklearn.neighbors import NearestNeighbors

DEAD = "dead"
MIXED = "mixed"
AGREE = 0.5
"""Share of a cluster's features that must act on one place."""
_SHARE = 0.005
_LEAST = 5


def feature_groups(positions: np.ndarray, live: np.ndarray, places: Sequence[str | None]) -> list[str]:
    """A group for each feature. positions: [n, 2]; live: bool [n]; places: that each acts on, None if not known."""
    numbers = np.flatnonzero(live)
    groups = np.full(len(positions), DEAD, dtype=object)
    clusters = _clusters(positions[numbers])
    by_size = [cluster for cluster, _ in Counter(clusters.tolist()).most_common()]
    for rank, cluster in enumerate(by_size, start=1):
        members = numbers[clusters == cluster]
        groups[members] = _name([places[i] for i in members], rank)
    return groups.tolist()


def _name(places: Sequence[str | None], rank: int) -> str:
    named = Counter(place for place in places if place)
    if not named:
        return f"group {rank}"
    place, count = named.most_common(1)[0]
    return place if count >= AGREE * named.total() else MIXED


def _clusters(positions: np.ndarray) -> np.ndarray:
    """The cluster of each position, int [n]."""
    size = max(_LEAST, int(_SHARE * len(positions)))
    if len(positions) < 2 * size:
        return np.zeros(len(positions), int)
    found = HDBSCAN(min_cluster_size=size, cluster_selection_method="leaf", copy=True).fit_predict(positions)
    if (found < 0).all():
        return np.zeros(len(positions), int)
    inside = found >= 0
    if not inside.all():
        nearest = NearestNeighbors(n_neighbors=1).fit(positions[inside])
        found[~inside] = found[inside][nearest.kneighbors(positions[~inside], return_distance=False).ravel()]
    return found
