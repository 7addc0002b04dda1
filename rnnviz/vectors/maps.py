"""Words on a map: the plane of the first two principal components, and t-SNE. For the worker.

An epoch's map is made to move on from the map of the epoch before: the principal plane is turned
and mirrored until it fits it best, and t-SNE begins where the one before ended.
"""

import numpy as np
from jaxtyping import Float
from sklearn.manifold import TSNE

from rnnviz.vectors.space import Principal, principal, turned

PERPLEXITY = 20.0
FIRST, NEXT = 500, 300  # steps of a first map, and of one that goes on; 250 of them exaggerated
EXAGGERATED, NEXT_EXAGGERATED = 12.0, 4.0


def pca(vectors: Float[np.ndarray, "N D"], before: Float[np.ndarray, "N 2"] | None) -> Principal:
    """The words in the plane in which they lie farthest apart."""
    found = principal(vectors)
    return found._replace(places=turned(found.places, before))


def tsne(
    vectors: Float[np.ndarray, "N D"], before: Float[np.ndarray, "N 2"] | None, seed: int
) -> Float[np.ndarray, "N 2"]:
    """Neighbours stay neighbours (van der Maaten and Hinton 2008); distances are of cosines."""
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    first = before is None
    made = TSNE(
        perplexity=min(PERPLEXITY, (len(vectors) - 1) / 3),
        init="pca" if before is None else before.astype(np.float32),
        max_iter=FIRST if first else NEXT,
        early_exaggeration=EXAGGERATED if first else NEXT_EXAGGERATED,
        random_state=seed,
        n_jobs=1,  # the sums of several threads would not be the same every time
    ).fit_transform(units.astype(np.float32))
    return made - made.mean(axis=0)
