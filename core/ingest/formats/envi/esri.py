"""Headers of ESRI's BIL, BIP and BSQ rasters, as ENVI's header says the same.

Keywords are those of ESRI's documentation of these files.
"""

from __future__ import annotations

from collections.abc import Mapping

_TYPES: Mapping[tuple[int, str], str] = {
    (8, "UNSIGNEDINT"): "1", (16, "SIGNEDINT"): "2", (16, "UNSIGNEDINT"): "12", (32, "SIGNEDINT"): "3",
    (32, "UNSIGNEDINT"): "13", (32, "FLOAT"): "4", (64, "FLOAT"): "5",
}  # fmt: skip
"""ENVI's code of a type by bits and kind of a number."""
_DIGITS = 10
"""Sizes have fewer."""
_LAYOUTS = frozenset({"bil", "bip", "bsq"})
_ORDERS: Mapping[str, str] = {"I": "0", "LSBFIRST": "0", "M": "1", "MSBFIRST": "1"}


def esri_as_envi(text: str, size: int) -> str | None:
    """Return a header in ENVI's words; None for a text that is no header of ESRI's, or tells of rows with gaps.

    Without a statement of bits, numbers have eight only where the raster is as long as that makes it: grids of floats
    (`.flt`) have headers that state none.

    Args:
        text: from outside; its numbers are checked where ENVI's are.
        size: bytes of the raster.
    """
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    fields = {pair[0].upper(): pair[1].strip() for pair in pairs if len(pair) == 2}
    if not {"NROWS", "NCOLS"} <= fields.keys():
        return None
    bits, layout = fields.get("NBITS", "8"), fields.get("LAYOUT", "BIL").lower()
    sign = fields.get("PIXELTYPE", "UNSIGNEDINT").upper()
    kind = _TYPES.get((int(bits) if bits.isdecimal() and len(bits) < 3 else 0, sign))
    order = _ORDERS.get(fields.get("BYTEORDER", "I").upper())
    if kind is None or order is None or layout not in _LAYOUTS or not _is_dense(fields, int(bits) // 8, layout):
        return None
    if "NBITS" not in fields and size != int(fields["NROWS"]) * int(fields["NCOLS"]) * int(fields.get("NBANDS", "1")):
        return None
    lines = [
        "ENVI",
        f"samples = {fields['NCOLS']}",
        f"lines = {fields['NROWS']}",
        f"bands = {fields.get('NBANDS', '1')}",
        f"header offset = {fields.get('SKIPBYTES', '0')}",
        f"data type = {kind}",
        f"interleave = {layout}",
        f"byte order = {order}",
    ]
    nodata = fields.get("NODATA", fields.get("NODATA_VALUE"))
    if nodata is not None:
        lines.append(f"data ignore value = {nodata}")
    place = [fields.get(name, "") for name in ("ULXMAP", "ULYMAP", "XDIM", "YDIM")]
    if all(map(_is_number, place)):
        lines.append(f"map info = {{Arbitrary, 1.5, 1.5, {', '.join(place)}}}")
    return "\n".join([*lines, ""])


def _is_dense(fields: Mapping[str, str], size: int, layout: str) -> bool:
    """Tell whether rows follow each other without bytes in between, as ENVI's do."""
    rows, cols, bands = fields["NROWS"], fields["NCOLS"], fields.get("NBANDS", "1")
    if not all(number.isdecimal() and len(number) < _DIGITS for number in (rows, cols, bands)):
        return False
    row, whole = int(cols) * size, int(cols) * int(bands) * size
    stated = {"BANDROWBYTES": row, "TOTALROWBYTES": whole if layout != "bsq" else row, "BANDGAPBYTES": 0}
    if layout == "bip":
        del stated["BANDROWBYTES"]
    return all(fields.get(name, str(number)) == str(number) for name, number in stated.items())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
