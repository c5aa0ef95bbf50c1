"""Collections of labelled patches: order, labels, places, pictures, and files that cannot be read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.warp import transform as warp_points

from core.bands import BAND_NAMES, EUROSAT_ORDER
from core.errors import SourceError
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.labels import patch_labels
from core.scenes.library import Library
from core.scenes.patches import corners_lonlat, patch_grid
from core.scenes.places import source_names
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.rasters import LAND, NORTH_UP, land, read_scene, write_tif
from tests.scenes import read_patch

pytestmark = pytest.mark.usefixtures("here")

CLASSES = {"Forest": 3, "Pasture": 5, "A <b>`${x}`": 2}
SIDE = 16


def make(folder: Path, classes: dict[str, int] = CLASSES, order: tuple[str, ...] = EUROSAT_ORDER) -> dict[str, int]:
    """Patches in class folders, each in its own zone, brighter by its number; the number by relative name."""
    numbers = {}
    for label, count in classes.items():
        (folder / label).mkdir(parents=True)
        for index in range(1, count + 1):
            number = len(numbers) + 1
            pixels = land(order, SIDE, SIDE) + np.uint16(number)
            transform = NORTH_UP @ Affine.translation(100 * number, 0)
            write_tif(
                folder / label / f"{label}_{index}.tif", pixels, crs=f"EPSG:{32629 + number % 8}", transform=transform
            )
            numbers[f"{label}_{index}.tif"] = number
    return numbers


def pack(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member in sorted(folder.rglob("*")):
            file.write(member, Path("Set") / member.relative_to(folder))
    return path


@pytest.mark.parametrize("packed", [True, False])
def test_patches_keep_their_pixels_labels_and_places(tmp_path: Path, library: Library, packed: bool) -> None:
    folder = tmp_path / "set"
    numbers = make(folder)
    scene = ingest([pack(folder, tmp_path / "set.zip") if packed else folder], library)
    grid = patch_grid(scene)
    assert (scene.kind, scene.patch_size, scene.bands) == ("collection", SIDE, BAND_NAMES)
    assert (grid.n_rows, grid.n_cols) == (3, 4)
    names, labels = source_names(scene), patch_labels(scene, grid)
    corners = corners_lonlat(scene, grid, np.arange(grid.count))
    assert names is not None
    assert labels is not None
    assert corners is not None
    assert names[10:] == ["", ""]
    assert sorted(names[:10]) == sorted(numbers)
    for patch_id, name in enumerate(names[:10]):
        label = name.rsplit("_", 1)[0]
        assert labels.classes[labels.index[patch_id]] == label
        assert labels.purity[patch_id] == 1
        pixels, mask = read_patch(scene, grid, patch_id, BAND_NAMES)
        assert mask.all()
        expected = (land(BAND_NAMES, SIDE, SIDE) + numbers[name]) / 10_000
        np.testing.assert_allclose(pixels, expected, atol=1e-6)
        with rasterio.open(folder / label / name) as data:
            left, bottom, right, top = data.bounds
            lons, lats = warp_points(data.crs, "EPSG:4326", [left, right, right, left], [top, top, bottom, bottom])
        np.testing.assert_allclose(corners[patch_id], np.stack([lons, lats], axis=1), atol=1e-9)
    assert np.isnan(corners[10:]).all()
    assert (labels.index[10:] == -1).all()
    assert (read_scene(scene.directory)[:, 2 * SIDE :, 2 * SIDE :] == 0).all()


def test_table_of_places(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "set"
    make(folder)
    table = pq.read_table(ingest([folder], library).places_path)
    assert table.column_names == ["patch_id", "source_name", "label", "corners", "crs"]
    assert [str(field.type) for field in table.schema] == [
        "int64", "string", "string", "fixed_size_list<element: double>[8]", "string",
    ]  # fmt: skip
    assert table.column("patch_id").to_pylist() == list(range(12))
    assert table.column("label").to_pylist()[10:] == [None, None]
    assert set(table.column("crs").to_pylist()[:10]) <= {f"EPSG:{code}" for code in range(32629, 32637)}


def test_what_a_person_says_and_what_patches_state_counts_for_all_of_them(tmp_path: Path, library: Library) -> None:
    folder, tags = tmp_path / "set", {"BOA_ADD_OFFSET_B02": "-1000"}
    for label in ("Sand", "Snow"):
        (folder / label).mkdir(parents=True)
        for index in range(3):
            pixels = land(EUROSAT_ORDER, SIDE, SIDE) + np.uint16(2500 + index)
            pixels[:, :4, :4] = 4321
            write_tif(folder / label / f"{label}_{index}.tif", pixels, tags=tags)
    scene = ingest([folder], library, IngestSettings(nodata=4321, crs="EPSG:32631"))
    pixels, mask = read_patch(scene, patch_grid(scene), 0, BAND_NAMES)
    assert not mask[:4, :4].any()
    assert mask[4:].all()
    expected = (land(BAND_NAMES, SIDE, SIDE) + 1500) / 10_000
    np.testing.assert_allclose(pixels[:, 4:], expected[:, 4:], atol=1e-6)
    said = {line.topic: line for line in load_quality(scene.directory).findings}
    assert "EPSG:32631, which was chosen, does not count for a collection" in said["place"].because
    assert said["scale"].basis == "read"


def test_order_is_as_people_count(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "set"
    make(folder, {"Lake": 12})
    names = source_names(ingest([folder], library))
    assert names == [f"Lake_{index}.tif" for index in range(1, 13)] + [""] * 0


def left_out(scene: Scene) -> str:
    found = [
        line for line in load_quality(scene.directory).findings if line.topic == "left out" and line.basis == "warning"
    ]
    assert len(found) == 1
    return found[0].value


def test_files_that_cannot_be_read_are_left_out(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "set"
    numbers = make(folder)
    good = [
        name
        for name in sorted(numbers)
        if name not in ("Forest_2.tif", "Pasture_1.tif", "Pasture_4.tif", "Pasture_5.tif")
    ]
    content = (folder / "Forest" / "Forest_2.tif").read_bytes()
    (folder / "Forest" / "Forest_2.tif").write_bytes(content[: len(content) // 2])
    (folder / "Pasture" / "Pasture_1.tif").write_text("no image")
    (folder / "Pasture" / "Pasture_4.tif").write_bytes(b"")
    write_tif(folder / "Pasture" / "Pasture_5.tif", land(EUROSAT_ORDER, 20, 20))
    (folder / "Pasture" / "notes.txt").write_text("hello")
    scene = ingest([pack(folder, tmp_path / "set.zip")], library)
    names = source_names(scene)
    assert names is not None
    assert sorted(filter(None, names)) == good
    assert len(names) == 6
    told = left_out(scene)
    assert told.startswith("4 files: ")
    assert "Pasture_5.tif (20 × 20 pixels where most have 16 × 16)" in told
    assert told.count("Pasture_1.tif") == told.count("Forest_2.tif") == 1
    for position, name in enumerate(filter(None, names)):
        pixels, _ = read_patch(scene, patch_grid(scene), position, ["B04"])
        assert round(float(pixels[0, 0, 0]) * 10_000) == 400 + numbers[name]


def test_one_file_that_cannot_be_read_is_one_file(tmp_path: Path, library: Library) -> None:
    make(tmp_path / "set")
    (tmp_path / "set" / "Forest" / "Forest_2.tif").write_text("no image")
    assert left_out(ingest([tmp_path / "set"], library)) == "1 file: Forest_2.tif (its content is not a raster image)"


def test_patches_of_two_kinds_are_one_collection_and_a_warning(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "set"
    make(folder, {"Forest": 3, "Pasture": 2})
    picture = np.full((3, SIDE, SIDE), 90, dtype=np.uint8)
    for number in range(6):
        write_tif(folder / "Forest" / f"seen_{number}.png", picture, driver="PNG", crs=None, transform=None)
    (folder / "notes.txt").write_text("hello")
    scene = ingest([folder], library)
    assert len(list(filter(None, source_names(scene) or []))) == 5
    assert left_out(scene) == "6 files: seen_0.png, seen_1.png, seen_2.png and 3 more"
    (told,) = [line for line in load_quality(scene.directory).warnings() if line.topic == "left out"]
    assert told.because == "a collection holds patches of one kind, here those with 13 bands"


def test_files_left_out_for_one_reason_are_named_together(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "set"
    make(folder, {"Forest": 3, "Pasture": 3})
    for number in range(5):
        write_tif(folder / "Forest" / f"seen_{number}.tif", np.full((3, SIDE, SIDE), 900, np.uint16))
    told = left_out(ingest([folder], library))
    assert told == "5 files: seen_0.tif, seen_1.tif, seen_2.tif and 2 more (3 bands where most have 13)"


def test_all_files_damaged(tmp_path: Path, library: Library) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / f"{name}_1.tif").write_text("no image")
    with pytest.raises(SourceError, match="none of its 3 patches"):
        ingest([tmp_path / "set"], library)


def test_pictures(tmp_path: Path, library: Library) -> None:
    for number, label in enumerate(("Forest", "River", "River")):
        folder = tmp_path / "set" / label
        folder.mkdir(parents=True, exist_ok=True)
        colours = np.array([0, 120, 255] if number == 0 else [40 * number, 100, 60], dtype=np.uint8)
        pixels = np.broadcast_to(colours[:, None, None], (3, 64, 64))
        write_tif(folder / f"{label}_{number}.png", pixels, driver="PNG", crs=None, transform=None)
    scene = ingest([tmp_path / "set"], library)
    assert scene.bands == ("B02", "B03", "B04")
    assert scene.classes == ("Forest", "River")
    pixels, mask = read_patch(scene, patch_grid(scene), 0, ["B04", "B03", "B02"])
    assert mask.all()
    np.testing.assert_allclose(pixels[:, 5, 5] * 10_000, [1, round(120 * 2750 / 255), 2750], atol=0.01)
    assert corners_lonlat(scene, patch_grid(scene), np.arange(2)) is None
    (line,) = [line for line in load_quality(scene.directory).findings if line.topic == "scale"]
    assert line.basis == "assumed"


def test_pictures_of_nobody_known_are_doubted_and_read_as_a_person_says(tmp_path: Path, library: Library) -> None:
    for number in range(3):
        pixels = np.full((3, 16, 16), 51 * (number + 1), dtype=np.uint8)
        (tmp_path / "set" / f"class {number}").mkdir(parents=True)
        write_tif(tmp_path / "set" / f"class {number}" / "a.png", pixels, driver="PNG", crs=None, transform=None)
    scene = ingest([tmp_path / "set"], library)
    (line,) = [line for line in load_quality(scene.directory).findings if line.topic == "scale"]
    assert (line.basis, "choose the scale 255" in line.because) == ("warning", True)
    chosen = ingest([tmp_path / "set"], library, IngestSettings(scale="255", bands=("B04", "B03", "B02")))
    assert sorted(set(read_scene(chosen.directory)[0].ravel().tolist())) == [0, 2000, 4000, 6000]


def test_patches_without_folders(tmp_path: Path, library: Library) -> None:
    (tmp_path / "set").mkdir()
    for number in range(4):
        write_tif(tmp_path / "set" / f"patch_{number}.tif", land(BAND_NAMES, SIDE, SIDE), BAND_NAMES)
    scene = ingest([tmp_path / "set"], library)
    assert scene.kind == "collection"
    assert scene.classes == ()
    assert not (scene.directory / "truth.tif").exists()


def test_patches_that_are_not_square(tmp_path: Path, library: Library) -> None:
    for label in ("a", "b"):
        (tmp_path / "set" / label).mkdir(parents=True)
        write_tif(tmp_path / "set" / label / "x.tif", land(BAND_NAMES, 16, 24), BAND_NAMES)
    with pytest.raises(SourceError, match="24 × 16 pixels"):
        ingest([tmp_path / "set"], library)


def test_equal_file_names_keep_their_folders(tmp_path: Path, library: Library) -> None:
    for label in ("a", "b"):
        (tmp_path / "set" / label).mkdir(parents=True)
        write_tif(tmp_path / "set" / label / "1.tif", land(BAND_NAMES, 16, 16), BAND_NAMES)
    assert source_names(ingest([tmp_path / "set"], library)) == ["a/1.tif", "b/1.tif"]


@pytest.mark.parametrize(
    "pattern", ["{split}/{label}/{n}.tif", "{label}/{split}/{n}.tif", "all/{split}/{label}/{n}.tif"]
)
def test_parts_for_training_and_tests_are_no_classes(tmp_path: Path, library: Library, pattern: str) -> None:
    folder = tmp_path / "set"
    for n in range(8):
        name = pattern.format(split=("train", "val")[n % 2], label=("Forest", "River")[n // 4], n=n)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_tif(folder / name, land(height=16, width=16), BAND_NAMES, crs=None, transform=None)
    assert ingest([folder], library).classes == ("Forest", "River")


def test_parts_alone_are_no_classes(tmp_path: Path, library: Library) -> None:
    for n in range(4):
        folder = tmp_path / "set" / ("train", "test")[n % 2]
        folder.mkdir(parents=True, exist_ok=True)
        write_tif(folder / f"{n}.tif", land(height=16, width=16), BAND_NAMES, crs=None, transform=None)
    assert ingest([tmp_path / "set"], library).classes == ()


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Äöé", "utf-8"),
        ("Weiß Ähre", "cp437"),
        ("Œuvre é", "cp1252"),
        *(("Луг и пашня №2", encoding) for encoding in ("cp866", "cp1251")),
    ],
)
def test_names_of_classes_in_zips_without_the_flag(tmp_path: Path, library: Library, name: str, encoding: str) -> None:
    patch = write_tif(tmp_path / "a.tif", land(height=16, width=16), BAND_NAMES, crs=None, transform=None).read_bytes()
    path = tmp_path / "set.zip"
    raw = name.encode(encoding)
    with zipfile.ZipFile(path, "w") as packed:
        for n in range(4):
            packed.writestr(f"{('Wald', 'X' * len(raw))[n % 2]}/{n}.tif", patch)
        packed.writestr("__MACOSX/Wald/._x.zip", b"1")
        packed.writestr("Wald/.DS_Store", b"1")
    path.write_bytes(path.read_bytes().replace(b"X" * len(raw) + b"/", raw + b"/"))
    assert ingest([path], library).classes == tuple(sorted(("Wald", name)))


MIXED = 24


def mixed(
    folder: Path,
    *,
    names: str = "{n}.tif",
    half: str = "lifted",
    lifted: bool = True,
    bands: tuple[str, ...] = BAND_NAMES,
) -> dict[str, NDArray[np.float64]]:
    """Patches of many kinds of land, every other one written in another way; true numbers × 10,000 by name."""
    rng, truth = np.random.default_rng(3), {}
    for n in range(MIXED):
        shine = np.array([LAND[name] for name in bands]) * rng.uniform(0.6, 1.3, len(bands))
        true = np.rint(shine[:, None, None] * rng.uniform(0.5, 1.1, (len(bands), SIDE, SIDE)))
        other, order, tags, pixels = n % 2 == 1, list(bands), {}, true.copy()
        if other and half == "reversed":
            order, pixels = order[::-1], pixels[::-1]
        if other and lifted and half != "reversed":
            pixels += 1000
        if half == "baselines":
            tags = {"PROCESSING_BASELINE": "05.09" if other else "03.01"}
        date = f"{'2022-06' if other else '2019-06'}-{1 + n:02d}".replace("-", "")
        base = names.format(n=n, date=date, baseline="N0509" if other else "N0301")
        path = folder / f"class {n % 3}" / base
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tif(path, pixels.astype(np.uint16), order, tags=tags)
        if other and half == "scaled":
            with rasterio.open(path, "r+") as data:
                data.scales, data.offsets = (1e-4,) * 13, (-0.1,) * 13
        truth[base] = true
    return truth


def check_truth(scene: Scene, truth: dict[str, NDArray[np.float64]]) -> None:
    names = list(filter(None, source_names(scene) or []))
    assert sorted(names) == sorted(truth)
    for place, name in enumerate(names):
        pixels, _ = read_patch(scene, patch_grid(scene), place, BAND_NAMES)
        np.testing.assert_allclose(pixels * 10_000, truth[name], atol=0.01)


@pytest.mark.parametrize(
    ("names", "half"),
    [
        ("S2A_MSIL2A_{date}T101031_{baseline}_R022_T33UUP_{n}_7.tif", "lifted"),
        ("{n}.tif", "scaled"),
        ("{n}.tif", "reversed"),
    ],
)
def test_patches_of_which_half_are_written_otherwise_and_say_so(
    tmp_path: Path, library: Library, names: str, half: str
) -> None:
    truth = mixed(tmp_path / "set", names=names, half=half)
    scene = ingest([tmp_path / "set"], library)
    check_truth(scene, truth)
    said = {line.topic: line for line in load_quality(scene.directory).findings}
    assert (said["scale"].basis == "warning") is (half != "reversed")


@pytest.mark.parametrize(
    ("names", "bands"),
    [
        ("patch_N{n:04d}.tif", tuple(name for name in BAND_NAMES if name != "B10")),
        ("S2A_MSIL2A_20170601T101031_{n}_7.tif", BAND_NAMES),
    ],
)
def test_patches_of_which_half_hold_the_offset_and_nothing_says_which(
    tmp_path: Path, library: Library, names: str, bands: tuple[str, ...]
) -> None:
    mixed(tmp_path / "set", names=names, bands=bands)
    with pytest.raises(SourceError, match=r"some of its patches hold the offset .* of 24 looked at, 12 such as"):
        ingest([tmp_path / "set"], library)


def test_patches_of_which_half_are_later_and_none_holds_the_offset(tmp_path: Path, library: Library) -> None:
    truth = mixed(tmp_path / "set", names="S2A_MSIL2A_{date}T101031_{n}_7.tif", lifted=False)
    check_truth(ingest([tmp_path / "set"], library), truth)


def test_bright_land_among_dark_patches_is_not_taken_for_the_offset(tmp_path: Path, library: Library) -> None:
    truth = mixed(tmp_path / "set", lifted=False)
    sand = np.array([1700, 1900, 2400, 3100, 3300, 3400, 3500, 3600, 3700, 1500, 12, 4400, 3900])[:, None, None]
    for n in range(8):
        pixels = np.rint(sand * np.random.default_rng(n).uniform(0.85, 1.15, (13, SIDE, SIDE)))
        (tmp_path / "set" / "sand").mkdir(exist_ok=True)
        write_tif(tmp_path / "set" / "sand" / f"s{n}.tif", pixels.astype(np.uint16), BAND_NAMES, crs=None)
        truth[f"s{n}.tif"] = pixels
    check_truth(ingest([tmp_path / "set"], library), truth)


def test_labels_and_radar_beside_each_patch_are_left_out(tmp_path: Path, library: Library) -> None:
    for n in range(3):
        for kind, pixels in (
            ("LabelHand", np.ones((1, SIDE, SIDE), np.int16)),
            ("S1Hand", np.full((2, SIDE, SIDE), -12.5, np.float32)),
            ("S2Hand", land(BAND_NAMES, SIDE, SIDE).astype(np.int16) + np.int16(n)),
        ):
            (tmp_path / "v1" / kind).mkdir(parents=True, exist_ok=True)
            write_tif(tmp_path / "v1" / kind / f"Ghana_{n}_{kind}.tif", pixels)
    scene = ingest([tmp_path / "v1"], library)
    assert (scene.kind, scene.bands, scene.classes) == ("collection", BAND_NAMES, ())
    assert source_names(scene) == [*(f"Ghana_{n}_S2Hand.tif" for n in range(3)), ""]
    pixels, _ = read_patch(scene, patch_grid(scene), 2, BAND_NAMES)
    np.testing.assert_allclose(pixels * 10_000, land(BAND_NAMES, SIDE, SIDE) + 2, atol=0.01)
    assert left_out(scene).startswith("6 files: ")
