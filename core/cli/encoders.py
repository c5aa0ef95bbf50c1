"""The command that lists encoders."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from core.config import Config


class EncodersCommand:
    """List the encoders.

    Each comes with its bands, input size, number of features, backend, fingerprint and origin, or with the reason why
    it cannot be used. LANDLIKE_MODELS adds encoders to the list: paths or handles of TF-Hub image feature modules or
    SavedModels, separated by “;”. Models that were trained in the app are listed by themselves.

    Modules run by OpenVINO where nothing else is asked for, or by TensorFlow: in int8 where a model has an 8-bit form
    that is faster on this processor and finds the same neighbours, which is tried once; else in bf16 where the
    processor has it; else in f32.
    """

    name = "encoders"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add nothing: it has no options."""

    def run(self, _options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield every encoder on offer, what it is or why it cannot be used."""
        from core.encoders.registry import list_encoders

        for listing in list_encoders(config):
            yield listing.name
            if listing.spec is None:
                yield f"  not available  {listing.why_not}"
                continue
            spec = listing.spec
            size = "any" if spec.input_size is None else f"{spec.input_size} × {spec.input_size}"
            yield f"  bands          {len(spec.bands)}: {' '.join(spec.bands)}"
            yield f"  input size     {size}"
            yield f"  dimension      {spec.dimension}"
            yield f"  backend        {spec.backend}"
            yield f"  precision      {spec.precision}{_tried(listing.name, spec.precision, config)}"
            yield f"  fingerprint    {spec.fingerprint}"
            yield f"  from           {spec.origin}"


def _tried(name: str, precision: str, config: Config) -> str:
    """Say how the 8-bit form of an encoder did on this processor, if it was tried."""
    from core.encoders.registry import eight_bit_trial

    trial = eight_bit_trial(name, config)
    if trial is None:
        return ""
    if not trial.faster:
        return "; int8 could not be tried here"
    which, share = "it" if precision == "int8" else "int8", f"{100 * trial.agreeing:.0f} %"
    return (
        f"; {which} is {trial.faster:.2f} × as fast as {trial.beside} here and finds {share} of the neighbours of f32"
    )
