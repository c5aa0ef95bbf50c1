"""What settings of a search by examples find: the share of bad ones, the classifier's strength and rest of the scene.

Run by hand on files of features with labels, such as ``embed`` writes of EuroSAT:

    python -m tests.bench.compare_rankings F.parquet …

For each class good examples are drawn at random, and bad ones among the 4 × as many nearest of other classes, as people
dismiss near misses. It prints the average precision of the class among all other patches.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score

from core.export.geoparquet import read_geoparquet
from core.search.by_examples import rocchio_query
from core.search.linear import fit_linear
from core.similarity.neighbours import unit_rows
from core.similarity.pca import regular_sample

COUNTS = ((1, 0), (1, 1), (3, 1), (3, 3), (5, 5), (10, 0), (10, 3), (10, 10), (20, 20))
SHARES, STRENGTHS, AT_LARGE = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9), (0.3, 1.0, 3.0, 10.0), (0, 50, 200)
DRAWS, FEWEST = 4, 28


def found(unit: np.ndarray, good: np.ndarray, bad: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scores of all patches by each setting."""
    shares = SHARES if len(bad) else (0.0,)
    scores = {f"share {share:g}": unit @ rocchio_query(unit[good], unit[bad], share) for share in shares}
    for count in AT_LARGE if len(good) >= 5 else ():
        free = np.setdiff1d(np.arange(len(unit)), np.concatenate([good, bad]))
        others = np.concatenate([bad, free[regular_sample(len(free), count)]]) if count else bad
        for strength in STRENGTHS if len(others) else ():
            classifier = fit_linear(unit[good], unit[others], strength=strength)
            scores[f"{count} at large, strength {strength:g}"] = classifier.logits(unit)
    return scores


def main(paths: list[str]) -> None:
    """Print a table a file."""
    for path in paths:
        table = read_geoparquet(Path(path))
        labels = np.array([name or "" for name in table.table.column("label").to_pylist()])
        unit, labels = unit_rows(table.vectors)[labels != ""], labels[labels != ""]
        classes = [name for name in np.unique(labels) if (labels == name).sum() >= FEWEST]
        print(f"{path}: {len(unit):,} patches of {unit.shape[1]} features, {len(classes)} classes")
        for counts in COUNTS:
            random, precision = np.random.default_rng(1), defaultdict(list)
            for name in classes * DRAWS:
                good = random.choice(np.flatnonzero(labels == name), counts[0], replace=False)
                wrong = np.flatnonzero(labels != name)
                near = wrong[np.argsort(-unit[wrong] @ unit[good].mean(axis=0))][: max(8, 4 * counts[1])]
                bad = random.choice(near, counts[1], replace=False)
                rest = np.setdiff1d(np.arange(len(unit)), np.concatenate([good, bad]))
                for setting, score in found(unit, good, bad).items():
                    precision[setting].append(average_precision_score(labels[rest] == name, score[rest]))
            print(f"  {counts[0]} good, {counts[1]} bad")
            for setting, figures in precision.items():
                print(f"    {setting:32s} {np.mean(figures):.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
