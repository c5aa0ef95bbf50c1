"""The command that teaches classes on a file of features and names all its patches."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import bar_of
from core.cli.destinations import TIFF_ENDINGS, check_out
from core.cli.options import add_file
from core.cli.sources import read_features
from core.config import Config
from core.errors import SettingsError

if TYPE_CHECKING:
    from core.classification.feature_file import FeatureFile
    from core.classification.heads import Head, Prediction
    from core.classification.label_import import ImportedLabels
    from core.classification.label_log import LabelLog
    from core.classification.labelled import LabelledPatches
    from core.classification.validation import Validation

_ASKED = "Classifying patches"
_MOST_NAMED = 5


class ClassifyCommand:
    """Teach classes on a file of features by labelled patches, name all its patches, and say how right that is.

    L.csv has a line a label: patch_id and label, or lon, lat and label. L.geojson has points, each of which labels the
    patch it lies in, and polygons, each of which labels the patches of which it covers at least half. GeoPackages and
    zipped Shapefiles are read too.

    C.parquet has a row a patch: its outline, “class”, “probability”, “abstained” and why. C.tif is a cloud-optimised
    GeoTIFF of codes with colours and names, and a second band with the probability in percent; where patches overlap it
    is finer than they are. GeoJSON, GeoPackage, CSV and KML are written by their endings.

    With “--abstain P” a patch abstains below that probability, and on land that its encoder does not know.

    It prints what was learned as JSON: labels a class, accuracy on blocks of land that were held out with its 95 %
    interval, F1 a class, confusion, reliability, and how many patches abstained. “--compare”, “--curve” and “--doubts”
    add what the Classify page has of them. The columns “when”, “view” and “confirmed”, as “view --what labelled” writes
    them, say in which order labels were given and which were looked at again. What could not be used is said on stderr.

    With “--save H” the head is kept, and “--use H” names the patches of another file by it, without labels.
    """

    name = "classify"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the file, the labels, the head and where the result goes."""
        add_file(parser)
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--labels", type=Path, metavar="L.csv|L.geojson|L.gpkg|L.zip", help="patches with a class")
        source.add_argument("--use", type=Path, metavar="H.head.npz", help="a head that “--save” kept")
        parser.add_argument(
            "--head", metavar="KIND", default="logistic", help="logistic (default), knn or forest"
        )  # An unknown one is refused in one sentence, as all other input is.
        parser.add_argument("--abstain", type=float, metavar="P", help="probability below which a patch abstains")
        parser.add_argument("--out", type=Path, required=True, metavar="C.parquet|C.tif")
        parser.add_argument("--column", default="", metavar="NAME", help="attribute or column with the class")
        parser.add_argument("--layer", default="", metavar="NAME", help="of the labels, where their file has several")
        parser.add_argument(
            "--least-share", type=float, default=0.5, metavar="S", help="of a patch that polygons cover; default: 0.5"
        )
        parser.add_argument("--smooth", default="none", metavar="HOW", help="none (default), majority or probability")
        parser.add_argument("--compare", action="store_true", help="tell how the three kinds of heads do")
        parser.add_argument("--curve", action="store_true", help="tell how accuracy grew with the labels")
        parser.add_argument("--doubts", action="store_true", help="list labels that are probably wrong")
        parser.add_argument("--save", type=Path, metavar="H.head.npz", help="keep the head in a file")

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Write the map, and yield what was learned as JSON."""
        from core.classification.feature_file import FeatureFile
        from core.classification.models import check_kind

        _check(options)
        kind = check_kind(options.head)
        known = FeatureFile(table=read_features(options, config), name=options.file.name)
        learned = _used(options.use, known) if options.use else _taught(options, known, kind)
        head = learned.head
        told = options.abstain is not None
        novelty = known.novelty(config) if told else None
        found = head.predict(known.table.vectors, abstain_below=options.abstain or 0.0, novelty=novelty)
        smoothed = _smooth(options.smooth, known, found, options.abstain or 0.0)
        if options.out.suffix.lower() in TIFF_ENDINGS:
            _write_raster(options, known, head, found)  # It smooths cells, which may be finer than patches.
        else:
            _write_patches(options.out, known, smoothed)
        if options.save:
            from core.classification.saved import save_head

            save_head(head, options.save)
        summary = learned.summary() | {
            "patches": len(found),
            "abstained": int(smoothed.abstained.sum()),
            "abstain_below": options.abstain,
            "novel": int(found.novel.sum()) if novelty is not None else None,
        }
        yield json.dumps(summary | _asked(options, learned), indent=1, ensure_ascii=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Learned:
    """A head, and where it comes from.

    Attributes:
        head: the head.
        imported: labels it was taught by; None = it was kept in a file.
        validation: how well heads like it do; likewise.
        patches: that have these labels; likewise.
        log: when they were given, and from what view; likewise.
    """

    head: Head
    imported: ImportedLabels | None = None
    validation: Validation | None = None
    patches: LabelledPatches | None = None
    log: LabelLog | None = None

    def summary(self) -> dict[str, Any]:
        """Return what was learned as JSON values."""
        from core.classification.figures import validation_figures
        from core.classification.validation import OLDER_WAY

        origin = self.head.origin
        found: dict[str, Any] = {
            "head": self.head.kind, "classes": list(self.head.names), "labels": dict(origin.counts),
            "encoder": origin.encoder, "calibrated": self.head.calibrated,
        }  # fmt: skip
        if self.validation is None or self.imported is None:
            older = {"measured_in_an_older_way": OLDER_WAY} if origin.older_way else {}
            return found | {"measured_when_taught": dict(origin.measures)} | older
        measured = self.validation
        return found | {
            "setting": measured.setting, "temperature": round(self.head.temperature, 4),
            **validation_figures(measured), "left_out": dict(self.imported.left_out),
        }  # fmt: skip


def _asked(options: argparse.Namespace, learned: _Learned) -> dict[str, Any]:
    """Return what is told beside because somebody asked for it."""
    from core.classification.curves import curves_by_view
    from core.classification.doubtful import doubtful_labels
    from core.classification.figures import compared_figures, curve_figures, doubt_figures
    from core.classification.validation import LEAST_TESTED, compare

    told: dict[str, Any] = {}
    patches, validation, log = learned.patches, learned.validation, learned.log
    if patches is None or validation is None or log is None:
        return told
    if options.compare:
        with bar_of("Comparing", "kinds") as progress:
            told["compared"] = compared_figures(compare(patches, progress=progress))
    if options.curve:
        told["learning_curve"] = curve_figures(curves_by_view(patches, log))
    if options.doubts:
        kept = set(log.patch_ids[log.confirmed].tolist())
        found = doubtful_labels(validation, patches.patch_ids) if validation.accuracy.count >= LEAST_TESTED else ()
        told["doubtful_labels"] = doubt_figures([one for one in found if one.patch_id not in kept])
    return told


def _check(options: argparse.Namespace) -> None:
    """Refuse, before the work is done, what cannot be meant."""
    from core.classification.cells import SMOOTHINGS
    from core.export.formats import EXPORT_ENDINGS

    sources = (options.file, options.labels, options.use)
    check_out(options.out, (".parquet", *TIFF_ENDINGS, *EXPORT_ENDINGS), *sources)
    if options.save is not None:
        check_out(options.save, (".npz",), str(options.file))
    if options.abstain is not None and not 0 <= options.abstain <= 1:
        raise SettingsError(_ASKED, f"--abstain is {options.abstain:g}", "give a probability from 0 to 1")
    if not 0 < options.least_share <= 1:
        raise SettingsError(_ASKED, f"--least-share is {options.least_share:g}", "give a share above 0, up to 1")
    if options.use and (options.compare or options.curve or options.doubts):
        raise SettingsError(_ASKED, "a saved head has no labels to compare or doubt", "give --labels in place of --use")
    if options.smooth not in SMOOTHINGS:
        raise SettingsError(_ASKED, f"--smooth is “{options.smooth}”", f"choose {', '.join(SMOOTHINGS)}")


def _taught(options: argparse.Namespace, known: FeatureFile, kind: Any) -> _Learned:  # noqa: ANN401  a kind of head
    from core.classification.heads import teach

    labels, log = _labels(options, known)
    sys.stderr.writelines(f"{options.labels.name}: {sentence}\n" for sentence in labels.said)
    patches = known.labelled(labels.labels)
    sys.stderr.writelines(f"{options.labels.name}: {sentence}\n" for sentence in _alone(patches.counts))
    with bar_of("Teaching", "steps") as progress:
        taught = teach(patches, kind, origin=known.origin, progress=progress)
    return _Learned(head=taught.head, imported=labels, validation=taught.validation, patches=patches, log=log)


def _alone(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield a sentence on all classes that have one patch, if there are any."""
    alone = [f"“{name}”" for name, count in counts.items() if count == 1]
    if len(alone) == 1:
        yield f"{alone[0]} has one patch, so that it cannot be tested."
    elif alone:
        named = ", ".join(alone[:_MOST_NAMED]) + (" …" if len(alone) > _MOST_NAMED else "")
        yield f"{len(alone):,} classes have one patch each, so that they cannot be tested: {named}."


def _used(path: Path, known: FeatureFile) -> _Learned:
    from core.classification.saved import load_head

    head = load_head(path)
    head.check_fits(known.fingerprint, known.table.vectors.shape[1], known.level)
    cut = known.cut
    if not known.fingerprint and head.origin.encoder:
        taught = f"the head was taught on those of {head.origin.encoder}"
        sys.stderr.write(f"{known.name}: It does not say which encoder made its features; {taught}.\n")
    for sentence in head.concerns("" if cut is None else cut.key, known.bands):
        sys.stderr.write(f"{path.name}: {sentence}\n")
    return _Learned(head=head)


def _labels(options: argparse.Namespace, known: FeatureFile) -> tuple[ImportedLabels, LabelLog]:
    """Return the labels of a file, by its ending, and what it says of each beside."""
    from core.classification.areas.tables import TextTable, read_text_table
    from core.classification.label_import import labels_of_table
    from core.classification.label_log import log_of_table
    from core.classification.shape_import import labels_of_shapes
    from core.ingest.vectors.adding import read_label_shapes

    path: Path = options.labels
    asked = f"Reading “{path.name}”"
    if path.suffix.lower() in {".csv", ".tsv", ".txt"}:
        table = read_text_table(path)
        found = labels_of_table(
            table, known.table.patch_ids, known.outlines, column=options.column, scene_id=known.scene_id
        )  # fmt: skip
        return found, log_of_table(table, found.labels, known.scene_id)
    shapes = read_label_shapes(path, column=options.column, layer=options.layer)
    found = labels_of_shapes(
        shapes, known.table.patch_ids, known.outlines, asked=asked, least_share=options.least_share
    )  # fmt: skip
    return found, log_of_table(TextTable(name=path.name, separator=",", columns=(), rows=()), found.labels)


def _smooth(how: str, known: FeatureFile, found: Prediction, below: float) -> Prediction:
    """Return the classes of patches smoothed over their neighbours on the grid."""
    from core.classification.cells import patch_chances, smoothed_cells

    if how == "none":
        return found
    if known.grid is None:
        remedy = "leave --smooth out, or encode a scene with a place on Earth"
        raise SettingsError(_ASKED, "it is not known which patches lie beside each other", remedy)
    grid = known.grid[1]
    cells = smoothed_cells(patch_chances(grid, known.table.patch_ids, found.chances), how)  # type: ignore[arg-type]
    rows = grid.rows_cols(known.table.patch_ids)
    return found.with_chances(cells.chances[rows], below)


def _write_patches(path: Path, known: FeatureFile, found: Prediction) -> None:
    """Write a row a patch."""
    import numpy as np

    from core.export.formats import write_rows
    from core.export.selection import file_rows

    columns = {
        "class": found.named, "probability": np.asarray(found.confidence, np.float32), "abstained": found.abstained,
        "why_abstained": found.why_abstained,
    }  # fmt: skip
    write_rows(path, file_rows(known.table, columns=columns))


def _write_raster(options: argparse.Namespace, known: FeatureFile, head: Head, found: Prediction) -> None:
    """Write a map of codes."""
    from core.classification.cells import chance_cells, smoothed_cells
    from core.classification.maps.choice import MapChoice
    from core.classification.maps.files import map_facts, write_map
    from core.classification.models import HEAD_KINDS

    if known.grid is None:
        found_ = "it is not known where the patches lie on a grid on Earth"
        raise SettingsError(_ASKED, found_, "write C.parquet, or encode a scene with a place on Earth")
    below, grid = options.abstain or 0.0, known.grid[1]
    cells = smoothed_cells(
        chance_cells(*known.grid, known.table.patch_ids, found.chances, found.novel), options.smooth
    )  # fmt: skip
    choice = MapChoice(below=below, strange=options.abstain is None, smoothing=options.smooth)
    write_map(options.out, cells, grid, head.classes, below, about=map_facts(choice, grid, HEAD_KINDS[head.kind]))
