"""One scene as rasters: a file of many bands, or a file a band, with tables and metadata beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from core.errors import BandsError, SourceError, SourceTooLargeError
from core.ingest.bands.assign import MIN_BANDS
from core.ingest.bands.auxiliary import stated_beside, stated_said
from core.ingest.bands.names import band_of_file, names_other_layer, names_positions, parse_band
from core.ingest.files import METADATA_SUFFIXES, RASTER_SUFFIXES, TABLE_SUFFIXES, Member, SourceFiles
from core.ingest.findings import cloud_cover, finding, ignored, series_said
from core.ingest.formats.beside import sort_out
from core.ingest.formats.classification import ClassRaster, names_classes
from core.ingest.formats.envi.header import header_of, headers_of, stated_in_header
from core.ingest.formats.extra_samples import (
    is_mask_name,
    mask_file,
    masks_said,
    named_by_hand,
    senseless_said,
    single,
    without_masks,
)
from core.ingest.formats.foreign.kinds import refuse_foreign
from core.ingest.formats.geotiff import RasterFile, open_raster, read_head
from core.ingest.formats.kind import SceneLayers
from core.ingest.formats.one_scene import (
    OneScene,
    layers_of_one_date,
    layers_of_one_image,
    one_scene,
    without_other_dates,
)
from core.ingest.formats.other_sensors import OtherBands, bands_of_other, other_product, refuse_product
from core.ingest.formats.product_metadata import Hint, Hints, read_hints, stated_start
from core.ingest.formats.sentinel_hub.request import HubRequest, answered, hub_requests, refuse_other_collections
from core.ingest.formats.snap.product import files_of_products, stated_in_product
from core.ingest.formats.stac_item import ITEM_SUFFIXES, MOST_BYTES, described_by_item, item_hints, with_item
from core.ingest.formats.tiles import TiledRaster, join_tiles
from core.ingest.formats.world_file import beside, is_world_file, placed_beside
from core.ingest.grid.stack import BandRaster, Layer, Scaling, layers_of
from core.ingest.messages import WHAT_IS_READ, clean_name, errors_about
from core.ingest.sandbox.limits import MAX_SOURCE_FILES
from core.scenes.overview import SENSOR_TOPIC
from core.scenes.quality import Finding

_MAX_DOCUMENT = 4 * 2**20
_MAX_OPEN = 200
_LOOKED_INTO = 20
_PICTURE = re.compile(
    r"(?<![A-Za-z0-9])(?:TCI|(?:TRUE|FALSE)[ _-]?COLOU?R|QUICKLOOK|THUMBNAIL|NDVI|NDWI|NDMI|EVI|"
    r"SCENE[ _-]?CLASSIFICATION)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^an? (?:product of )?")


class BandFiles:
    """One raster, or several that lie over each other."""

    own_files: frozenset[str] = frozenset()

    def recognises(self, _files: SourceFiles) -> bool:
        """Take any source: what is wrong with it shows when it is opened."""
        return True

    def layers(self, files: SourceFiles, opened: ExitStack) -> SceneLayers:
        """Return all bands but transparency, by files sorted by name."""
        _refuse_too_many_or_none(files)
        scene = one_scene(_candidates(files), files.wanted_date)
        files, apart = without_other_dates(files, scene)
        requests = _requests(files)
        refuse_other_collections(requests, files.settings)
        rasters, names = _rasters(files, scene, opened, requests)
        used = {raster.name for raster in rasters}
        product_files = files_of_products(files.members)
        tables = [member for member in files.ending(TABLE_SUFFIXES) if member not in product_files]
        documents, items = _documents(files), _items(files, scene)
        asked = [member for member in files.ending(ITEM_SUFFIXES) if member.name in requests]
        read = [*tables, *documents, *items, *asked, *product_files]
        others = _others(files, rasters, read, {name for group in apart.values() for name in group})
        tags = {key: value for raster in reversed(rasters) for key, value in raster.tags.items()}
        texts = [text for raster in rasters for text in raster.descriptions]
        bases = [PurePosixPath(raster.name).name for raster in rasters]
        product = other_product(bases, tags, texts)
        refuse_product(product, files.settings)
        wanted = product is not None and files.settings.by_wavelength and names is None
        other = bands_of_other(bases, tags, texts) if wanted else None
        unpacked, rasters = rasters, [_packed(raster, other.packed if other else None) for raster in rasters]
        names_said = [*(raster.name for raster in rasters), *_source_names(files, used)]
        hints = read_hints(names_said, tags, _texts(files, documents, scene), texts)
        hints = with_item(hints, [*items.values(), *_asked_for(requests, rasters)]) if not documents else hints
        if rasters != unpacked:
            hints = replace(hints, packed=Hint(value="yes", where="Level 2 of Landsat's Collection 2 is defined so"))
        elif _answer(requests, rasters):
            hints = replace(hints, packed=Hint(value="yes", where="the script of the request beside it says so"))
        _refuse_no_bands(rasters, names)
        whole, tiles = join_tiles(rasters)
        _refuse_several_nameless(whole, names)
        nameless = [layer for raster in whole for layer in layers_of(raster, without=_unused(raster, names))]
        layers, stated = layers_of_one_date(nameless, files.wanted_date)
        if names is None and not stated.dates:
            layers, images = layers_of_one_image(layers, files.wanted_time)
            stated = stated if images.position is None else images
        left_out = {**apart, **stated.left_out}
        series, position = _series(scene, stated)
        unsure = hints.period is not None or hints.unsure_days is not None
        if (date := stated.date if unsure else scene.date or stated.date) is not None:
            hints = replace(hints, date=Hint(value=date, where="the names of its files or bands say so"))
        around = sort_out(others, rasters, lambda member: _beside(files, member, opened))
        if hints.level is None and (around.states_level or _describes_classes(rasters)):
            hints = replace(hints, level=Hint(value="L2A", where="it comes with a scene classification, as L2A does"))
        return SceneLayers(
            layers=_without_classes(layers, around.classification),
            hints=hints,
            notes=rasters[0].notes,
            findings=(
                *_product_said(product, other),
                *cloud_cover(hints),
                *masks_said(rasters),
                *senseless_said(rasters),
                *stated_said(rasters),
                *_bad_said(rasters, names),
                *tiles,
                *series,
                *(line for because, names_apart in left_out.items() for line in ignored(names_apart, because)),
                *around.findings,
            ),
            tables=tuple(tables),
            masks=around.masks,
            classification=around.classification,
            other=other,
            position=position,
            chosen=names,
        )


def _requests(files: SourceFiles) -> dict[str, HubRequest]:
    """Return the requests to Sentinel Hub among the files, by their names."""
    return hub_requests({member.name: text for member, text in _item_texts(files).items()})


def _asked_for(requests: Mapping[str, HubRequest], rasters: Sequence[RasterFile]) -> list[Hints]:
    """Return what the requests state that rasters may be the answers to."""
    return [one.hints() for one in requests.values() if any(one.covers(raster.name) for raster in rasters)]


def _answer(requests: Mapping[str, HubRequest], rasters: Sequence[RasterFile]) -> bool:
    """Tell whether a request says what the numbers of all rasters mean."""
    files = {one.file for one in requests.values()}
    return bool(files) and all(files.intersection(raster.stated_by) and any(raster.scaling) for raster in rasters)


def _rasters(
    files: SourceFiles, scene: OneScene, opened: ExitStack, requests: Mapping[str, HubRequest]
) -> tuple[list[RasterFile], tuple[str, ...] | None]:
    """Open the rasters of a scene, each of one kind of pixel, with the names that a person gave to their bands."""
    if len(scene.members) > _MAX_OPEN:
        found = f"{len(scene.members):,} of its files may be bands of one scene, and no more than {_MAX_OPEN} can be"
        raise SourceError(found=found, remedy="open one scene at a time, or put patches into class folders")
    rasters, names = [_opened(files, member, opened, requests) for member in scene.members], files.settings.bands
    by_hand = None if names is None else _by_hand(rasters, names)
    if by_hand is not None:
        rasters, names = by_hand
    return [single(raster) for raster in rasters], names


def _refuse_too_many_or_none(files: SourceFiles) -> None:
    """Refuse a source of too many files, or of places alone.

    Raises:
        SourceError: saying which.
    """
    if len(files.members) > MAX_SOURCE_FILES:
        found = f"it holds {len(files.members):,} files, more than the {MAX_SOURCE_FILES:,} allowed"
        raise SourceTooLargeError(found=found, remedy="keep only the band files")
    if all(map(is_world_file, files.members)):
        found = "it only says where a raster lies, and the raster is not there"
        raise SourceError(found=found, remedy="choose it together with the raster of the same name")


def _others(files: SourceFiles, rasters: Sequence[RasterFile], read: Sequence[Member], apart: set[str]) -> list[Member]:
    """Return the files that hold no band, were not read for anything else, and are not left out already."""
    used = {raster.name for raster in rasters}
    headers = [header for raster in rasters if (header := header_of(raster, files.members))]
    headers += headers_of(files.members)
    others = files.others([*read, *beside(rasters, files.members), *headers])
    return [member for member in others if member.name not in used and member.base not in apart]


def _without_classes(layers: Sequence[Layer], classes: ClassRaster | None) -> tuple[Layer, ...]:
    """Return the bands but for the one that holds the classification."""
    return tuple(
        layer
        for layer in layers
        if classes is None or (layer.source is not classes.raster or layer.index != classes.index)
    )


def _refuse_no_bands(rasters: Sequence[RasterFile], names: tuple[str, ...] | None) -> None:
    """Refuse a source of nothing but masks, maps of classes and pictures.

    Raises:
        SourceError: saying which.
    """
    if names is None and all(map(_is_picture, rasters)):
        shown = ", ".join(f"“{clean_name(PurePosixPath(raster.name).name, 80)}”" for raster in rasters[:3])
        found = f"{shown} {'is a picture or index' if len(rasters) == 1 else 'are pictures or indices'} made of bands"
        found = f"{found}, whose reflectance is lost"
        raise SourceError(found=found, remedy="export the bands themselves, as raw numbers or reflectance")
    if names is not None or any(raster.count > 1 for raster in rasters):
        return
    stems = [PurePosixPath(raster.name).stem for raster in rasters]
    if all(map(names_classes, stems)):
        found = "it is a scene classification, which holds no bands"
    elif all(is_mask_name(stem) or mask_file(raster) for stem, raster in zip(stems, rasters, strict=True)):
        found = "it is a mask, which says where there is data and holds no bands"
    else:
        return
    raise SourceError(found=found, remedy="open it together with the bands that it belongs to")


def _is_picture(raster: RasterFile) -> bool:
    """Tell whether a raster of up to four samples is called a picture, an index or a map of classes, and names none."""
    stem = PurePosixPath(raster.name).stem
    few = 1 < raster.count <= 4 and not any(map(parse_band, raster.descriptions))
    return few and (_PICTURE.search(stem) is not None or names_classes(stem))


def _series(files: OneScene, bands: OneScene) -> tuple[list[Finding], tuple[int, int] | None]:
    """Say which of several dates was read; nothing where there is one."""
    for one, what in ((files, "its files are of"), (bands, "its bands are of")):
        if one.dates and one.date is not None:
            position = one.dates.index(one.date), len(one.dates)
            return [series_said(one.dates, one.date, what)], position
    if bands.position is not None:
        at, count = bands.position
        because = "the names of its bands count images and state no dates, and each image is a scene of its own"
        return [finding("series", f"image {at + 1} of {count}", "read", because)], bands.position
    return [], None


def _refuse_several_nameless(whole: Sequence[BandRaster], names: tuple[str, ...] | None) -> None:
    """Refuse several rasters of several bands each of which nothing says what they are, for each may be the scene.

    Raises:
        BandsError: naming two of them.
    """
    nameless = [
        raster
        for raster in whole
        if raster.count - len(_alpha(raster)) >= MIN_BANDS
        and (not any(raster.descriptions) or names_positions(raster.descriptions))
    ]
    if len(nameless) > 1 and names is None:
        shown = " and ".join(f"“{clean_name(PurePosixPath(raster.name).name)}”" for raster in nameless[:2])
        which = "and nothing says which is the scene"
        found = f"it holds {len(nameless)} rasters of several bands each, {shown} among them, {which}"
        raise BandsError(found=found, remedy="open one of them at a time")


def _source_names(files: SourceFiles, used: set[str]) -> list[str]:
    """Return the name of the source, unless it is that of a file which is not used."""
    unused = {member.base for member in files.members if member.name not in used}
    return [] if any(files.name.startswith(base) for base in unused) else [files.name]


def _alpha(raster: BandRaster) -> tuple[int, ...]:
    if isinstance(raster, TiledRaster):
        return raster.parts[0][0].alpha
    return raster.alpha if isinstance(raster, RasterFile) else ()


def _unused(raster: BandRaster, names: tuple[str, ...] | None) -> tuple[int, ...]:
    """Return 1-based bands that are none: masks, and those that a header marks as bad unless a person names them."""
    return (*_alpha(raster), *(_bad(raster) if names is None else ()))


def _bad(raster: BandRaster) -> tuple[int, ...]:
    if isinstance(raster, TiledRaster):
        part = raster.parts[0][0]
        return part.bad if isinstance(part, RasterFile) else ()
    return raster.bad if isinstance(raster, RasterFile) else ()


def _bad_said(rasters: Sequence[RasterFile], names: tuple[str, ...] | None) -> list[Finding]:
    """Say which bands are left out because a header marks them as bad."""
    if names is not None:
        return []
    titles = [layer.title for raster in rasters for layer in layers_of(raster) if layer.index in raster.bad]
    return ignored(titles, "the header of the raster marks them as bad")


def _opened(files: SourceFiles, member: Member, opened: ExitStack, requests: Mapping[str, HubRequest]) -> RasterFile:
    raster = open_raster(files.shelf.path(member), member.name)
    opened.callback(raster.close)
    placed = placed_beside(raster, files.members, files.shelf)
    stated = stated_beside(placed, files.members, files.shelf)
    described = stated_in_header(stated, files.members, files.shelf)
    described = stated_in_product(described, files.members, files.shelf)
    if raster.count > 1:
        described = described_by_item(described, {m.base: text for m, text in _item_texts(files).items()})
    return without_masks(answered(described, list(requests.values())))


def _beside(files: SourceFiles, member: Member, opened: ExitStack) -> RasterFile:
    raster = open_raster(files.shelf.path(member), member.name)
    opened.callback(raster.close)
    return stated_beside(placed_beside(raster, files.members, files.shelf), files.members, files.shelf)


def _by_hand(rasters: list[RasterFile], names: tuple[str, ...]) -> tuple[list[RasterFile], tuple[str, ...]] | None:
    """Find the files that names given by hand mean: all, those that are no picture or quality layer, or band files."""
    stems = {raster.name: PurePosixPath(raster.name).stem for raster in rasters}
    plain = [raster for raster in rasters if not (names_other_layer(stems[raster.name]) or names_classes(raster.name))]
    named = [raster for raster in rasters if band_of_file(stems[raster.name]) is not None]
    for group in (rasters, plain, named):
        found = named_by_hand(group, names) if group else None
        if found is not None:
            return found
    return None


def _describes_classes(rasters: Sequence[RasterFile]) -> bool:
    return any(names_classes(text) for raster in rasters for text in raster.descriptions)


def _candidates(files: SourceFiles) -> list[Member]:
    """Choose the files that may hold bands: the only one whatever it is, those named as bands, or all rasters."""
    if len(files.members) == 1:
        return list(files.members)
    candidates = files.ending(RASTER_SUFFIXES)
    chosen = candidates
    if files.settings.bands is None:
        named = [member for member in candidates if band_of_file(member.stem) is not None]
        chosen = named or [member for member in candidates if not names_other_layer(member.stem)]
    if not chosen:
        _refuse_bundle(files.members)
        for member in files.members[:_LOOKED_INTO]:
            with errors_about(member.name):
                refuse_foreign(read_head(files.shelf.path(member)), member.name)
        found = f"none of its {len(files.members):,} files may be a band"
        raise SourceError(found=found, remedy=WHAT_IS_READ)
    return chosen


def _refuse_bundle(members: Sequence[Member]) -> None:
    """Refuse a bundle, in which somebody handed on a view: it is opened, but in another place.

    Raises:
        SourceError: saying where.
    """
    if {"manifest.json", "scene.json", "recipe.json", "view.json"} <= {member.name for member in members}:
        remedy = "open it on the Scenes page under “Open a view that somebody handed on”, or by “open-bundle”"
        raise SourceError(found="it is a bundle, a view that somebody handed on, and holds no pixels", remedy=remedy)


def _packed(raster: RasterFile, scaling: Scaling | None) -> RasterFile:
    """Return a raster of whole numbers whose tags state nothing as packed in the way that its product is defined."""
    whole = all(np.dtype(kind).kind in "iu" for kind in raster.dtypes)
    if scaling is None or not whole or any(raster.scaling):
        return raster
    return replace(raster, scaling=(scaling,) * raster.count)


def _product_said(product: str | None, other: OtherBands | None) -> list[Finding]:
    """Say of a product of another satellite, which a person wants, what it is."""
    if product is None:
        return []
    because = "its names or tags say so; only bands whose wavelengths agree mean the same as Sentinel-2's"
    title = _ARTICLE.sub("", product).removesuffix(" product") if other is None else other.title
    return [finding(SENSOR_TOPIC, title, "warning", because)]


def _documents(files: SourceFiles) -> list[Member]:
    """Return the files of product metadata."""
    chosen = [m for m in files.ending(METADATA_SUFFIXES) if m.size <= _MAX_DOCUMENT and "MTD" in m.stem.upper()]
    return chosen[:8]


def _items(files: SourceFiles, scene: OneScene) -> dict[Member, Hints]:
    """Return the STAC items of the scene's date, and what they state."""
    texts = _item_texts(files)
    found = {member: hints for member, text in texts.items() if (hints := item_hints(text)) is not None}
    return {
        m: said for m, said in found.items() if scene.date is None or said.date is None or said.date.value == scene.date
    }


def _item_texts(files: SourceFiles) -> dict[Member, str]:
    """Return the texts of files that may be STAC items."""
    small = [member for member in files.ending(ITEM_SUFFIXES) if member.size <= MOST_BYTES][:8]
    return {m: files.shelf.path(m).read_text(encoding="utf-8", errors="replace") for m in small}


def _texts(files: SourceFiles, documents: Sequence[Member], scene: OneScene) -> list[str]:
    """Read product metadata as text, without that of another date than the scene's."""
    texts = [files.shelf.path(member).read_text(encoding="utf-8", errors="replace") for member in documents]
    return [text for text in texts if scene.date is None or stated_start(text) in (None, scene.date)]
