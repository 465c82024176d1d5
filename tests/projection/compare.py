#!/usr/bin/env python3
"""Holds our maps against scikit-learn's and umap-learn's. Needs: pip install scikit-learn umap-learn

    simcse embed --model m.gguf --out e.npy sentences.txt
    simcse map --rows e.npy --method tsne --out tsne.npy      (and pca, umap)
    python tests/projection/compare.py e.npy pca.npy tsne.npy umap.npy

Prints the trustworthiness (k = 15, by scikit-learn) of each given map, of PCA, TSNE and UMAP of these libraries on
the same rows with the same settings, and the time the libraries took; for t-SNE also the divergence KL(P || Q) that
it makes small. Fails where a map whose name contains pca, tsne or umap is more than .02 less trustworthy than the
library's.

    --perplexity 30 --neighbours 15 --least-distance .1 --steps 1000 --epochs 500 --seed 1
"""
import argparse
import sys
import time
import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 15
ALLOWED = 0.02


def unit(rows):
    rows = rows.astype(np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)


def affinities(rows, perplexity):
    """p_ij of t-SNE over three times as many neighbours: two lists of rows and the weights, which sum to 1."""
    count = len(rows)
    each = min(count - 1, int(3 * perplexity))
    distances, others = NearestNeighbors(n_neighbors=each).fit(rows).kneighbors()
    squares = distances**2
    low, high = np.zeros(count), np.full(count, np.inf)
    beta = np.ones(count)
    for _ in range(100):
        weights = np.exp(-beta[:, None] * (squares - squares[:, :1]))
        weights /= weights.sum(1, keepdims=True)
        entropy = -(weights * np.log(np.maximum(weights, 1e-300))).sum(1)
        too_wide = entropy > np.log(perplexity)
        low, high = np.where(too_wide, beta, low), np.where(too_wide, high, beta)
        beta = np.where(np.isinf(high), 2 * beta, (low + high) / 2)
    dense = np.zeros((count, count))
    np.put_along_axis(dense, others, weights, 1)
    dense = (dense + dense.T) / (2 * count)
    left, right = np.nonzero(dense)
    return left, right, dense[left, right]


def divergence(p, points):
    left, right, weights = p
    points = points.astype(np.float64)
    z = -float(len(points))
    for start in range(0, len(points), 256):
        away = points[start : start + 256, None] - points[None]
        z += (1 / (1 + (away**2).sum(-1))).sum()
    q = 1 / (1 + ((points[left] - points[right]) ** 2).sum(1)) / z
    return float((weights * np.log(weights / q)).sum())


def libraries(rows, options):
    yield "pca", lambda: PCA(2, random_state=options.seed).fit_transform(rows)
    yield "tsne", lambda: TSNE(
        perplexity=options.perplexity, max_iter=options.steps, init="pca", learning_rate="auto", random_state=options.seed
    ).fit_transform(rows)
    try:
        import umap
    except ImportError:
        print("umap-learn is not there", file=sys.stderr)
        return
    # With a seed it works in one thread, as ours does.
    yield "umap", lambda: umap.UMAP(
        n_neighbors=options.neighbours,
        min_dist=options.least_distance,
        n_epochs=options.epochs,
        random_state=options.seed,
        n_jobs=1,
    ).fit_transform(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", help=".npy of vectors")
    parser.add_argument("maps", nargs="*", help=".npy of our positions")
    parser.add_argument("--perplexity", type=float, default=30)
    parser.add_argument("--neighbours", type=int, default=15)
    parser.add_argument("--least-distance", type=float, default=0.1)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    rows = unit(np.load(options.rows))
    p = affinities(rows, min(options.perplexity, (len(rows) - 1) / 3))

    def judge(name, points, seconds=None):
        trust = trustworthiness(rows, points, n_neighbors=NEIGHBOURS)
        took = "" if seconds is None else f"{seconds:8.2f} s"
        print(f"{name:40} trustworthiness {trust:.4f}   KL {divergence(p, points):.4f} {took}", flush=True)
        return trust

    print(f"{len(rows)} rows of {rows.shape[1]}")
    ours = {path: judge(path, np.load(path)) for path in options.maps}
    theirs = {}
    for name, make in libraries(rows, options):
        began = time.perf_counter()
        points = make()
        theirs[name] = judge(f"library: {name}", points, time.perf_counter() - began)
    worse = [
        f"{path} is {theirs[name] - trust:.4f} less trustworthy than the library's"
        for path, trust in ours.items()
        for name in theirs
        if name in path.rsplit("/", 1)[-1].lower() and theirs[name] - trust > ALLOWED
    ]
    print("\n".join(worse) or "no map is more than .02 less trustworthy than the library's")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
