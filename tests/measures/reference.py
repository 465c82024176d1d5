"""Measures of sentence vectors, by another hand: NumPy, from the papers' formulas, in float64.

tests/native/measures.rs compares what the program finds with tests/measures/stsb-dev.json, which
this wrote. It has to be written again whenever the CPU's bits change; with MODEL the default weights
(q8_0) and DATA the folder of stsb:

    python3 tests/measures/reference.py sentences DATA/dev.csv > sentences.txt
    simcse embed --model MODEL --pooling mean --out mean.npy sentences.txt
    simcse embed --model MODEL --pooling cls --out cls.npy sentences.txt
    python3 tests/measures/reference.py figures DATA/dev.csv mean.npy cls.npy \
        > tests/measures/stsb-dev.json
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np

KEPT_SINGULAR_VALUES = 64
BINS = 80
NEIGHBOURS = 10


def pairs_of(path):
    """Sentence 1, sentence 2 and score of each row."""
    with open(path, encoding="utf-8", newline="") as file:
        return [(first, second, float(score)) for first, second, score in csv.reader(file)]


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def centred(rows):
    return rows - rows.mean(axis=0)


def all_but_the_top(rows, directions):
    """Mu & Viswanath, ICLR 2018, Algorithm 1."""
    rest = centred(rows)
    _, _, axes = np.linalg.svd(rest, full_matrices=False)
    for axis in axes[:directions]:
        rest = rest - np.outer(rest @ axis, axis)
    return rest


def whitened(rows, keep):
    """Su et al., arXiv 2103.15316, Algorithm 1, without directions whose variance is rounding: this
    model's vectors have three of them, which hold the same number for every sentence.
    """
    covariance = np.cov(rows, rowvar=False, bias=True)
    u, variances, _ = np.linalg.svd(covariance)
    keep = min(keep, (variances > 1e-12).sum())
    variances = np.maximum(variances, 1e-12)
    return centred(rows) @ (u @ np.diag(1 / np.sqrt(variances)))[:, :keep]


def treated(rows):
    quarter = min(len(rows) // 4, rows.shape[1])
    return {
        "as-is": rows,
        "centred": unit(centred(rows)),
        "abtt:2": unit(all_but_the_top(rows, 2)),
        "whitened": unit(whitened(rows, quarter)),
        "whitened:64": unit(whitened(rows, 64)),
    }


def ranks(values):
    values = np.asarray(values)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + 1 + ends) / 2)[inverse]


def iso_score(rows):
    """Rudman et al., Findings of ACL 2022: the steps of their Algorithm 1."""
    n = rows.shape[1]
    _, _, axes = np.linalg.svd(centred(rows), full_matrices=False)
    variances = np.var(rows @ axes.T, axis=0, ddof=1)
    scaled = np.sqrt(n) * variances / np.linalg.norm(variances)
    defect = np.linalg.norm(scaled - 1) / np.sqrt(2 * (n - np.sqrt(n)))
    return ((n - defect**2 * (n - np.sqrt(n))) ** 2 - n) / (n * (n - 1))


def jackknife(cosines):
    """Half-width of the 95 % interval of the mean over pairs, leaving out one row after another."""
    n = len(cosines)
    others = cosines - np.diag(np.diag(cosines))
    whole = others.sum()
    without = (whole - 2 * others.sum(axis=1)) / ((n - 1) * (n - 2))
    return 1.959964 * np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())


def hubness(cosines):
    """Skewness of the 10-occurrence (Radovanovic et al., JMLR 2010)."""
    others = cosines.copy()
    np.fill_diagonal(others, -np.inf)
    # Equal rows have equal cosines but for rounding: the earlier one is nearer.
    named = np.argsort(-np.round(others, 7), axis=1, kind="stable")[:, :NEIGHBOURS]
    counts = np.bincount(named.ravel(), minlength=len(cosines))
    deviations = counts - counts.mean()
    skewness = (deviations**3).mean() / (deviations**2).mean() ** 1.5
    return {"skewness": skewness, "named": int(counts.max())}


def bands_of(cosines, gold):
    bands = []
    for start in range(5):
        inside = (gold >= start) & ((gold < start + 1) | (start == 4))
        bands.append({"pairs": int(inside.sum()), "mean_cosine": cosines[inside].mean()})
    return bands


def figures(rows, gold):
    first, second = rows[0::2], rows[1::2]
    paired = (first * second).sum(axis=1)
    cosines = rows @ rows.T
    above = np.triu_indices(len(rows), k=1)
    distances = 2 - 2 * cosines[above]
    # float32 rows are not quite of length 1.
    counts, _ = np.histogram(cosines[above].clip(-1, 1), bins=BINS, range=(-1, 1))
    values = np.linalg.svd(rows, compute_uv=False)
    shares = values / values.sum()
    shares = shares[shares > 1e-12]
    spread = np.linalg.svd(centred(rows), compute_uv=False) ** 2
    positive = gold > 4
    return {
        "alignment": ((first - second)[positive] ** 2).sum(axis=1).mean(),
        "uniformity": np.log(np.exp(-2 * distances).mean()),
        "mean_cosine": cosines[above].mean(),
        "mean_cosine_error": jackknife(cosines),
        "spectrum": (values / values[0])[:KEPT_SINGULAR_VALUES].tolist(),
        "effective_rank": np.exp(-(shares * np.log(shares)).sum()),
        "sphere_share": (values[:3] ** 2).sum() / (values**2).sum(),
        "iso_score": iso_score(rows),
        "top_share": spread[0] / spread.sum(),
        "hubness": hubness(cosines),
        "spearman": np.corrcoef(ranks(paired), ranks(gold))[0, 1],
        "bands": bands_of(paired, gold),
        "histogram": (counts / counts.sum()).tolist(),
    }


def main():
    what, table, *files = sys.argv[1:]
    pairs = pairs_of(table)
    if what == "sentences":
        for first, second, _ in pairs:
            print(first, second, sep="\n")
        return
    gold = np.array([score for _, _, score in pairs])
    found = {}
    for file in files:
        rows = np.load(file).astype(np.float64)
        assert len(rows) == 2 * len(pairs), "two rows a pair"
        views = treated(rows)
        found[Path(file).stem] = {name: figures(view, gold) for name, view in views.items()}
    print(json.dumps(found, default=float).replace('}, "', '},\n"'))


if __name__ == "__main__":
    main()
