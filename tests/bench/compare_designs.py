"""Compare designs of the default encoder, each trained alike and for a short time, on EuroSAT.

``python -m tests.bench.compare_designs FOLDER [--patches 6000] [--epochs 12] [--left-out CLASS …]`` with a folder that
holds ``eurosat_rgb.zip`` and ``eurosat_ms.zip`` prints, for each design:

* the 5-nearest accuracy of 2,000 held-out RGB patches among those learned from;
* the precision at 1 and 10 of the 13-band patches among their own half, averaged over both halves; what is chosen or
  fitted by 13-band patches (the share of the spectrum, the whitening) is so by the other half.

Designs: ``colour``, a network of the three RGB bands (cross-entropy), alone and joined with spectral statistics;
``contrast``, the same by the supervised contrastive loss (Khosla et al., 2020); ``masked``, one network of 13 bands and
13 planes that say which were measured, taught on the RGB patches and one half of the 13-band patches with bands dropped
at random, measured on the other half. No RGB patch that shows the place of a 13-band patch is learned from.

With ``--left-out`` it trains ``colour`` without a class and says how well that class is then found again: by the
embedding, by ``landlike-1``'s design (joined with the spectrum) and by ``landlike-2``'s (whitened, joined with the
ground), among the held-out RGB patches, and among the 13-band patches: the share of the ten nearest that are of it. One
such training and the next differ, so with ``--seeds`` it trains several, and prints the mean and each.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.covariance import LedoitWolf

from core.bands import BAND_NAMES, fill_source
from core.encoders.spectral import SpectralEncoder
from core.evaluation.retrieval import held_out, retrieval
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.scene import REFLECTANCE_SCALE
from core.similarity.neighbours import unit_rows
from core.training.dataset import Labelled, gather, joined, labelled
from core.training.hyperparameters import Examples, Hyperparameters
from core.training.keras import network
from core.training.keras.augment import brightness_jitter
from core.training.keras.batches import draw_batches, step_count
from core.training.keras.ground import shipped_ground
from core.training.keras.inference import predict
from core.training.keras.joint import JointEncoder, fit_network_part
from core.training.keras.loop import learning_rate

HELD_OUT, SPECTRUM_SHARES = 2_000, (0.05, 0.1, 0.25, 0.4, 0.5)
RGB = tuple(BAND_NAMES.index(name) for name in ("B02", "B03", "B04"))
SIZE: dict[str, Any] = {"widths": Hyperparameters().widths, "blocks": Hyperparameters().blocks}
Array = np.ndarray[Any, np.dtype[Any]]
Loss = Callable[[Any, Any, Any], Any]


def main() -> None:
    """Train the designs one after the other and print a line for each measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patches", type=int, default=6_000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--left-out", nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        library = Library(Path(root))
        rgb, bands13 = (
            labelled(ingest([options.folder / name], library, IngestSettings()))
            for name in ("eurosat_rgb.zip", "eurosat_ms.zip")
        )
    whole = gather([rgb], test_sets=[bands13])
    order = np.random.default_rng(0).permutation(len(whole))
    held, train = whole.take(order[:HELD_OUT]), whole.take(order[HELD_OUT : HELD_OUT + options.patches])
    settings = Hyperparameters(epochs=options.epochs)
    if options.left_out:
        others = whole.take(order[HELD_OUT + options.patches :][:HELD_OUT])
        for name in options.left_out:
            _left_out(name, train, others, (held, bands13), settings, options.seeds)
        return
    halves = np.random.default_rng(1).permutation(len(bands13)) % 2 == 0
    spectrum = SpectralEncoder().encode(bands13.pixels.astype(np.float32) / REFLECTANCE_SCALE)
    _say("spectral statistics", _halves(spectrum, bands13, halves))
    for name, loss in (("colour", _cross_entropy), ("contrast", _contrast)):
        net = _train(train, settings, loss)
        vectors = predict(net, bands13.pixels[..., RGB])[0]
        known, asked = (predict(net, part.pixels)[0] for part in (train, held))
        _say(name, _halves(vectors, bands13, halves), _named(known, train.labels, asked, held.labels))
        joins = [_join(vectors, spectrum, part) for part in SPECTRUM_SHARES]
        for part, both in zip(SPECTRUM_SHARES, joins, strict=True):
            _say(f"{name} with {part:.0%} spectral statistics", _halves(both, bands13, halves))
        _say(f"{name}, share chosen by the other half", _chosen(joins, bands13, halves))
        _say(f"{name} with 25%, whitened by the other half", _whitened(vectors, spectrum, bands13, halves))
    _masked(train, held, bands13, halves, settings)


def _masked(train: Labelled, held: Labelled, bands13: Labelled, halves: Array, settings: Hyperparameters) -> None:
    """One network of 13 bands, taught once for each half of the 13-band patches."""
    scores: dict[str, list[list[float]]] = {"all 13 bands": [], "RGB only": []}
    named = []
    for half in (halves, ~halves):
        taught = bands13.take(half)
        # Each 13-band patch as often as makes them a fifth of what is learned from.
        often = np.repeat(np.arange(len(taught)), max(1, len(train) // (4 * len(taught))))
        both = joined([_widened(train), taught.take(often)], BAND_NAMES)
        net = _train(both, settings, _cross_entropy, dropped=0.3)
        asked = bands13.take(~half)
        bare = np.zeros_like(asked.pixels)
        bare[..., RGB] = asked.pixels[..., RGB]
        for kind, pixels in zip(scores, (asked.pixels, bare), strict=True):
            scores[kind].append(_precision(predict(net, pixels)[0], asked.labels, asked.classes))
        known, others = (predict(net, _widened(part).pixels)[0] for part in (train, held))
        named.append(_named(known, train.labels, others, held.labels))
    for kind, found in scores.items():
        _say(f"masked, fed {kind}", np.mean(found, axis=0).tolist(), float(np.mean(named)))


def _left_out(
    name: str,
    train: Labelled,
    others: Labelled,
    asked: tuple[Labelled, Labelled],
    settings: Hyperparameters,
    seeds: int,
) -> None:
    """How well a class is found again by networks that never saw it, and by such that did, in each design."""
    number = train.classes.index(name)
    for title, left in (("seen", -1), ("never seen", number)):
        shares: dict[str, list[float]] = {}
        for seed in range(seeds):
            net = _train(train.take(train.labels != left), replace(settings, seed=seed), _cross_entropy)
            reference = predict(net, others.take(others.labels != left).pixels)[0]
            for part in asked:
                for design, vectors in _designs(net, reference, part).items():
                    found = retrieval(vectors, part.labels, part.classes)
                    row = next(row for row in found.classes if row.name == name)
                    asked_for = f"{row.count} patches of {len(part.bands)} bands, {design}"
                    shares.setdefault(asked_for, []).append(row.precision.value)
        for asked_for, found_again in shares.items():
            each = " ".join(f"{share:.3f}" for share in found_again)
            print(f"{name}, {title}, {asked_for}: {np.mean(found_again):.3f} ({each})", flush=True)


def _designs(net: Any, reference: Array, part: Labelled) -> dict[str, Array]:
    """The features of patches by each design of a network; bands that were not measured have the usual stand-ins."""
    sources = [fill_source(name, part.bands) for name in BAND_NAMES]
    images = np.stack(
        [
            np.zeros(part.pixels.shape[:3]) if name is None else part.pixels[..., part.bands.index(name)]
            for name in sources
        ],
        axis=-1,
    ).astype(np.float32)
    images /= REFLECTANCE_SCALE
    embedding = predict(net, part.pixels[..., [part.bands.index(name) for name in ("B02", "B03", "B04")]])[0]
    joint = JointEncoder(net, ("B02", "B03", "B04"), fit_network_part(reference), shipped_ground())
    return {
        "embedding": embedding,
        "landlike-1": _join(embedding, SpectralEncoder().encode(images), 0.25),
        "landlike-2": np.concatenate(
            [joint.features(images[first : first + 64])["default"].numpy() for first in range(0, len(images), 64)]
        ),
    }


def _widened(part: Labelled) -> Labelled:
    """Patches of three bands as patches of 13 of which ten were not measured."""
    pixels = np.zeros((*part.pixels.shape[:3], len(BAND_NAMES)), np.uint16)
    pixels[..., RGB] = part.pixels
    return replace(part, pixels=pixels, bands=BAND_NAMES)


def _train(part: Labelled, settings: Hyperparameters, loss: Loss, dropped: float = 0.0) -> Any:
    """A network taught with a loss; ``dropped`` is the probability that a band beyond RGB is taken away."""
    tf.keras.utils.set_random_seed(settings.seed)
    sample = part.pixels[:: max(1, len(part) // 4000)].astype(np.float32) / REFLECTANCE_SCALE
    sample[sample == 0] = np.nan
    ceiling = np.nanpercentile(sample, 99.5, axis=(0, 1, 2))
    sample = np.minimum(sample, ceiling.astype(np.float32))
    light = [np.nanmean(sample, axis=(0, 1, 2)).tolist(), (np.nanstd(sample, axis=(0, 1, 2)) + 1e-4).tolist()]
    net = _network(*light, ceiling.tolist(), len(part.classes), dropped)
    optimizer = tf.keras.optimizers.AdamW(settings.learning_rate, weight_decay=settings.weight_decay, clipnorm=5.0)
    samples, random = Examples(pixels=part.pixels, labels=part.labels), np.random.default_rng(settings.seed)
    step = _step(net, optimizer, loss, settings, dropped)
    steps = settings.epochs * step_count(len(samples), settings)
    for number, (pixels, labels) in enumerate(_epochs(samples, settings, random)):
        optimizer.learning_rate.assign(learning_rate(settings, number / steps))
        step(tf.constant(pixels), tf.constant(labels))
    return net


def _epochs(samples: Examples, settings: Hyperparameters, random: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    for number in range(settings.epochs):
        yield from draw_batches(samples, settings, random, 0.75 if number < settings.epochs - 1 else 1.0)


def _network(mean: list[float], std: list[float], ceiling: list[float], classes: int, dropped: float) -> Any:
    """The shipped design; where bands are dropped, with a plane a band that says whether it was measured."""
    if not dropped:
        return network.build(mean, std, ceiling, classes, **SIZE)
    images = tf.keras.Input((None, None, len(mean)))
    planes = tf.keras.layers.Lambda(_with_presence)(images)
    inner = network.build(
        [*mean, *[0.0] * len(mean)], [*std, *[1.0] * len(mean)], [*ceiling, *[1.0] * len(mean)], classes, **SIZE
    )
    return tf.keras.Model(images, inner(planes))


def _with_presence(images: Any) -> Any:
    present = tf.cast(tf.reduce_max(images, axis=(1, 2), keepdims=True) > 0, images.dtype)
    return tf.concat([images, present + tf.zeros_like(images)], axis=-1)


def _step(net: Any, optimizer: Any, loss: Loss, settings: Hyperparameters, dropped: float) -> Any:
    weights = net.trainable_variables
    beyond = np.array([number not in RGB for number in range(len(BAND_NAMES))])

    @tf.function(jit_compile=True)
    def step(pixels: Any, labels: Any) -> Any:
        images = brightness_jitter(tf.cast(pixels, tf.float32) / REFLECTANCE_SCALE, settings)
        if dropped:
            drawn = tf.random.uniform((tf.shape(labels)[0], 1, 1, len(BAND_NAMES))) < dropped
            images = tf.where(tf.logical_and(drawn, beyond), 0.0, images)
        with tf.GradientTape() as tape:
            given = net(images, training=True)
            value = loss(given["embedding"], given["logits"], labels)
        optimizer.apply_gradients(zip(tape.gradient(value, weights), weights, strict=True))
        return value

    return step


def _cross_entropy(_embedding: Any, logits: Any, labels: Any) -> Any:
    wanted = tf.one_hot(labels, logits.shape[-1]) * 0.9 + 0.1 / logits.shape[-1]
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))


def _contrast(embedding: Any, logits: Any, labels: Any) -> Any:
    """Khosla et al. (2020), equation 2, temperature 0.1, other patches of the class in the batch as positives."""
    unit = tf.math.l2_normalize(embedding, axis=-1)
    scores = tf.matmul(unit, unit, transpose_b=True) / 0.1
    apart = 1 - tf.eye(tf.shape(labels)[0])
    same = tf.cast(labels[:, None] == labels[None], tf.float32) * apart
    each = scores - tf.reduce_logsumexp(scores - 1e9 * (1 - apart), axis=1, keepdims=True)
    # The classifier is taught beside, without a say in the embedding, so that every weight has a gradient.
    return -tf.reduce_mean(tf.reduce_sum(each * same, 1) / tf.maximum(tf.reduce_sum(same, 1), 1)) + 0 * tf.reduce_sum(
        logits
    )


def _precision(vectors: Array, labels: Array, classes: tuple[str, ...]) -> list[float]:
    found = retrieval(vectors, labels, classes).precision
    return [found[1].value, found[10].value]


def _halves(vectors: Array, bands13: Labelled, halves: Array) -> list[float]:
    """Precision at 1 and 10 inside each half, averaged."""
    parts = [_precision(vectors[half], bands13.labels[half], bands13.classes) for half in (halves, ~halves)]
    return [float(value) for value in np.mean(parts, axis=0)]


def _join(vectors: Array, spectrum: Array, share: float) -> Array:
    return np.concatenate([unit_rows(vectors) * (1 - share) ** 0.5, unit_rows(spectrum) * share**0.5], axis=1)


def _chosen(joins: list[Array], bands13: Labelled, halves: Array) -> list[float]:
    """Each half measured with the share at which the other half's precision at 10 is highest, averaged."""
    found = []
    for half in (halves, ~halves):
        scores = [_precision(both[~half], bands13.labels[~half], bands13.classes)[1] for both in joins]
        both = joins[int(np.argmax(scores))]
        found.append(_precision(both[half], bands13.labels[half], bands13.classes))
    return [float(value) for value in np.mean(found, axis=0)]


def _whitened(vectors: Array, spectrum: Array, bands13: Labelled, halves: Array) -> list[float]:
    """Joined features with the covariance (Ledoit and Wolf, 2004) of the other half taken out, averaged."""
    both, found = _join(vectors, spectrum, 0.25), []
    for half in (halves, ~halves):
        fitted = LedoitWolf().fit(both[~half])
        values, axes = np.linalg.eigh(fitted.covariance_)
        white = (both[half] - fitted.location_) @ axes / np.sqrt(values)
        found.append(_precision(white, bands13.labels[half], bands13.classes))
    return [float(value) for value in np.mean(found, axis=0)]


def _named(known: Array, labels: Array, asked: Array, truth: Array) -> float:
    """Share of the asked that the five nearest of the known name rightly."""
    held = np.arange(len(known) + len(asked)) >= len(known)
    return held_out(np.concatenate([known, asked]), np.concatenate([labels, truth]), held).nearest.value


def _say(title: str, precision: list[float], named: float | None = None) -> None:
    shown = "" if named is None else f"   RGB by 5 nearest {named:.3f}"
    print(f"{title:44} at 1 {precision[0]:.3f}   at 10 {precision[1]:.3f}{shown}", flush=True)


if __name__ == "__main__":
    main()
