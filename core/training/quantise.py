"""Writing the 8-bit form of an encoder, by NNCF: ``python -m core.training.quantise MODEL PATCHES``.

The ranges of its integers are taken from half of the patches; by the other half it is measured here, and on each
processor that it is tried on (``core.encoders.eight_bits``). Only convolutions are quantised, and not the first ones:
the small deviations of even land, which the ground part lives by, would not outlast 8 bits.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from core.bands import BAND_NAMES, FloatArray
from core.encoders.base import LocalModel
from core.encoders.eight_bits import Trial, save_land, try_beside
from core.encoders.files import EIGHT_BITS, EIGHT_BITS_LAND, EIGHT_BITS_WEIGHTS, list_checksums
from core.encoders.openvino import GROUP_SIZE, feature_model, save_graph
from core.encoders.saved_model.encoder import SavedModelKind, saved_model_preprocessing
from core.encoders.saved_model.signature import read_signature
from core.errors import EncoderError
from core.scenes.scene import REFLECTANCE_SCALE
from core.training.dataset import labelled

FEWEST_FOR_RANGES = 4 * GROUP_SIZE
"""Patches that are needed for both halves."""

EXACT_FIRST = 4
"""Convolutions that stay in 32 bits: the stem and the first block, which tell water from water. With them in 8 bits
0.89 of the neighbours on the sample scene are found, so 0.98 (by bf16 0.96), at twice the rate of f32."""


def quantise(directory: Path, patches: FloatArray) -> Trial:
    """Write the 8-bit form of a SavedModel beside it, and return how it does on this processor.

    Args:
        directory: of the model; its ``SHA256SUMS`` lists the form too then.
        patches: reflectance (N, H, W, bands of the model).

    Raises:
        EncoderError: when the model is damaged, or the patches are too few.
    """
    if len(patches) < FEWEST_FOR_RANGES:
        found = f"there are {len(patches)} patches"
        raise EncoderError(f"Quantising the model “{directory.name}”", found, f"give {FEWEST_FOR_RANGES} or more")
    _write_form(directory, patches[::2])
    save_land(directory, patches[1::2])
    list_checksums(directory, (EIGHT_BITS, EIGHT_BITS_WEIGHTS, EIGHT_BITS_LAND))
    kind, model = SavedModelKind(), LocalModel(name=directory.name, title="", origin="", directory=directory)
    with tempfile.TemporaryDirectory() as memory:
        exact, form = (kind.load(model, backend, Path(memory)) for backend in ("openvino-f32", "openvino-int8"))
        return try_beside(exact, form, patches[1::2])


def _write_form(directory: Path, patches: FloatArray) -> None:
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    signature = read_signature(directory)
    side = saved_model_preprocessing(directory, signature).input_size
    model = feature_model(directory, signature.output_names)
    model.reshape([GROUP_SIZE, side, side, patches.shape[-1]])
    whole = len(patches) // GROUP_SIZE
    groups = [patches[GROUP_SIZE * number :][:GROUP_SIZE] for number in range(whole)]
    form = nncf.quantize(
        model,
        nncf.Dataset(groups),
        subset_size=whole,
        ignored_scope=nncf.IgnoredScope(types=_other_types(model), names=_first(model), validate=False),
        # The whole range: mean ranges cut off what makes odd patches odd, and cost four of 100 neighbours.
        advanced_parameters=AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
        ),
    )
    save_graph(form, directory / EIGHT_BITS)


def _other_types(model: Any) -> list[str]:  # noqa: ANN401  openvino is untyped
    """Return the kinds of operations that stay as they are."""
    kinds = {node.get_type_name() for node in model.get_ordered_ops()}
    return sorted(kinds - {"Convolution", "Constant", "Parameter", "Result"})


def _first(model: Any) -> list[str]:  # noqa: ANN401
    """Return the names of the first convolutions."""
    nodes = [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]
    return [node.get_friendly_name() for node in nodes[:EXACT_FIRST]]


def main() -> None:
    """Write the 8-bit form of a model by a file of patches of 13 bands."""
    from core.ingest.boundary import ingest
    from core.ingest.settings import IngestSettings
    from core.scenes.library import Library

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("patches", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = labelled(ingest([options.patches], Library(Path(folder)), IngestSettings()))
    if found.bands != BAND_NAMES:
        raise SystemExit(f"Quantising: patches of all 13 bands are needed; these have {len(found.bands)}.")
    trial = quantise(options.model, found.pixels.astype(np.float32) / np.float32(REFLECTANCE_SCALE))
    sys.stdout.write(f"{trial.faster:.2f} × as fast as f32; {trial.agreeing:.3f} of its neighbours found\n")


if __name__ == "__main__":
    main()
