"""What names, tags and product metadata say of date, level and offset; what the pixels say is ``scale``."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.bands import BAND_NAMES
from core.ingest.settings import FIRST_IMAGE

_DATE = re.compile(r"(?<!\d)(20[1-9]\d)([-_/.: ]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_DAY_OF_YEAR = re.compile(r"(?:(?<![A-Za-z0-9])A?|doy)(20[1-9]\d)([0-3]\d\d)(?=T\d{6}|_|\.)")
"""Year and day of the year, as HLS (``2021196T100031``), MODIS and AppEEARS (``doy2021196``) write it."""
_TIMED = re.compile(_DATE.pattern.removesuffix(r"(?!\d)") + r"(?:[T_-]?\d{4,6}(?:[.-]\d+)?Z?)?(?![\d])")
_TIMED_DAY = re.compile(_DAY_OF_YEAR.pattern + r"(?:T\d{6})?")
_SENSED = re.compile(r"T\d{4,6}(?!\d)")
"""A time of day behind a date, as names of products have it behind the day of the pixels."""
_WORKED = re.compile(
    r"(?:(?:process(?:ed|ing)?|proc|creat(?:ed|ion)|export(?:ed)?|download(?:ed)?|generat(?:ed|ion)|updated?|modified"
    r"|publi(?:shed|cation)|upload(?:ed)?|retrieved|accessed|(?<![A-Za-z])(?:ver(?:sion)?|(?-i:v)))"
    r"(?:[-_. ]*(?:date|time))?[-_. ]*(?:on|at)?[-_. ]*"
    r"|_PDMC_|_TL_[A-Z0-9_]{4}_)$",
    re.IGNORECASE,
)
"""What stands in front of the day on which a file was made; also in ESA's names of before December 2016."""
_TAKEN = re.compile(
    r"(?<![A-Za-z])(?:acq(?:ui(?:red|sition))?|sens(?:ed|ing)|taken|captured?|observed)"
    r"(?:[-_. ]*(?:date|time|day))?[-_. ]*(?:on|at)?[-_. ]*$",
    re.IGNORECASE,
)
"""What stands in front of the day of the pixels."""
_TAKEN_FIRST = re.compile(r"(?<![A-Za-z0-9])L[COTEM]\d\d_L[12][A-Z]{2}_\d{6}_20\d{6}_20\d{6}(?!\d)", re.IGNORECASE)
"""Names of products that hold the day of the pixels, then that of processing: Landsat's of Collections 1 and 2. ESA's
of Sentinel-2 do so too, with a time of day behind each."""
_COUNTED = re.compile(
    r"(?<![A-Za-z])(?:grid|tile|id|cell|parcel|plot|block|orbit|path|row|no|nr)[-_. ]*$", re.IGNORECASE
)
"""What stands in front of numbers of things, of which some could be a year and a day of it."""
_MONTH_FIRST = re.compile(
    r"(?<![A-Za-z])([A-Za-z]{3})[a-z]{0,6}[-_. ]?(\d{1,2})(?:st|nd|rd|th)?[-_., ]{1,2}(20[1-9]\d)(?!\d)"
)
"""Month, day and year, as ``June_20_2019``."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:([-_.])(\d{1,2})\2|[-_. ]?([A-Za-z]{3})[a-z]{0,6}[-_. ]?)(20[1-9]\d)(?!\d)"
)
"""Day, month and year, as ``20.06.2019`` or ``20Jun2019``; with other signs than dots the month may come first."""
_DATED_FOLDERS = re.compile(r"(?:^|/)(20[1-9]\d)/(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])/")
"""Folders of years, months and days, as cloud buckets keep products."""
_GAPS = re.compile(r"[-_. ]+")
_LEVEL = re.compile(r"(?<![A-Za-z0-9])(?:MSI)?(L1C|L2A)(?![A-Za-z0-9])", re.IGNORECASE)
_SURFACE = re.compile(
    r"(?<![A-Za-z0-9])(?:HLS[._ -]?[SL]30|FRE|SRE|FRC|SEN2[A-Z]_BAP|BOA|NBART?|SEN2COR|MAJA|"
    r"SURFACE[ _-]?REFLECTANCE|S2_SR|L2S[PR]|SR[ _]B\d{1,2}|S2MSI2A|LEVEL[ _-]?2A|L2[FH]|RHOS|SCL|"
    r"SCENE[ _-]?CLASSIFICATION(?:[ _-]?MAP)?)"
    r"(?![A-Za-z0-9]|_IMAGE)",
    re.IGNORECASE,
)
_TOP = re.compile(
    r"(?<![A-Za-z0-9])(?:S2MSI1C|LEVEL[ _-]?1C|RHOT|TOA(?:[ _-]?REFLECTANCE)?)(?![A-Za-z0-9])", re.IGNORECASE
)
_CORRECTED = re.compile(
    r"(?<![A-Za-z0-9])(?<!no[ _-])(?<!not[ _-])(?<!non[ _-])(?<!out[ _-])(?<!before[ _-])(?<!pre[ _-])"
    r"(?:iCOR|ATCOR\d?|SEN2COR|FLAASH|LaSRC|SIAC|QUAC|ATREM|atmospheric(?:ally)?[ _-]?correct(?:ed|ion))"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
"""Programs and words for correcting for the atmosphere; what they make may keep the name of its Level-1C product."""
_SIZED = re.compile(r"(?<![A-Za-z0-9])T\d{2}[A-Z]{3}_\d{8}T\d{6}_(?:B\d[\dA]|TCI|AOT|WVP|SCL)_[126]0m(?![A-Za-z0-9])")
"""What ESA calls images of Level-2A; those of Level-1C state no size of pixels."""
_LEVEL_TEXT = re.compile(r"<(?:PROCESSING_LEVEL|PRODUCT_TYPE)>\s*(?:Level-|S2MSI)(1C|2A)p?\s*<", re.IGNORECASE)
_PLAIN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", re.IGNORECASE), title)
    for pattern, title in (
        (r"HLS[._ -]?[SL]30", "HLS"),
        (r"FRE|SRE|MAJA", "a product of MAJA"),
        (r"SEN2[ABCL]_BOA", "a product of FORCE"),
        (r"HARMONI[SZ]ED|S2(?:_SR)?_HARMONI[SZ]ED", "harmonised numbers"),
    )
)
_RAW = re.compile(r"Sentinel-2.{0,12}_\(Raw\)", re.IGNORECASE)
_BASELINE_NAME = re.compile(r"(?<![A-Za-z0-9])N(\d{2})(\d{2})(?![A-Za-z0-9])")
_IMAGE = re.compile(r"(?<![A-Za-z0-9])T\d{2}[A-Z]{3}_(20\d{6})T\d{6}_B\d[\dA](?:_[126]0m)?\.jp2$")
"""What ESA calls the images of a product, which hold numbers as it came."""
_BASELINE_OF_PRODUCT = re.compile(r"(?<=_)N\d{4}(?=_R\d{3}(?!\d))")
_BASELINE_TEXT = re.compile(r"PROCESSING_BASELINE\W{1,8}(\d{2})\.(\d{2})", re.IGNORECASE)
_OFFSET_TEXT = re.compile(r"<(?:BOA|RADIO)_ADD_OFFSET[^<>]{0,40}>\s*(-?\d{1,5})\s*<")
_BAND_OFFSET_TEXT = re.compile(
    r'<(?:BOA|RADIO)_ADD_OFFSET\s{1,4}band_id="(\d{1,2})"[^<>]{0,20}>\s*(-?\d{1,5})(?:\.0*)?\s*<'
)
_BAND_OFFSET_TAG = re.compile(r"(?:.*[:#.])?(?:BOA|RADIO)_ADD_OFFSET_B0?(\d{1,2}A?)")
_NUMBER = re.compile(r"-?\d{1,6}(?:\.0*)?")
_QUANTIFICATION_TEXT = re.compile(r"<(?:L2A_)?(?:BOA_)?QUANTIFICATION_VALUE[^<>]{0,40}>\s*(\d{1,6})(?:\.0*)?\s*<")
_START_TEXT = re.compile(r"<(?:PRODUCT_START_TIME|SENSING_TIME)[^<>]{0,80}>\s*(\d{4}-\d{2}-\d{2})")
_CLOUD_TEXT = re.compile(r"<Cloud_Coverage_Assessment>\s*([^<>]{1,20}?)\s*<", re.IGNORECASE)
_CLOUD_TAG = re.compile(
    r"(?:.*[:#.])?(?:cloud_coverage_assessment|cloudy_pixel_percentage|eo:cloud_cover|cloud_coverage)", re.IGNORECASE
)
"""Names of tags that hold a percentage: ESA's and GDAL's, Earth Engine's, STAC's, that of HLS."""
_DATE_TAG = re.compile(r"date|time|sensing|acqui|#units", re.IGNORECASE)
_OTHER_DATE_TAG = re.compile(
    r"TIFFTAG_DATETIME|creat|process|generat|ingest|modif|production|updat|publi|archiv|upload|expir", re.IGNORECASE
)
"""Tags with the day when a file was made, which is not the day of the pixels."""
_WHOLE_DAYS = "-00[_:]00"
"""Behind the first day of a period in a browser portal's names, which end a period at 23:59."""
_PERIOD = re.compile(
    rf"{_DATE.pattern}(?:{_WHOLE_DAYS})?(_to_|_-_|--|\.\.|[_-]){_DATE.pattern.replace(chr(92) + '2', chr(92) + '7')}"
)
_SYNTHESIS = re.compile(r"(?<![A-Za-z0-9])(?:SENTINEL2\w_(20\d{6})-\d{6}-\d{3}_L3A|(20\d{6})_LEVEL3_\w+_BAP)")
"""Names of products made of many dates around the one that they state: Theia's monthly syntheses, FORCE's BAP."""
_COMPOSITE = re.compile(
    r"(?<![A-Za-z])(?:median|mean|composite|mosaic|max|min|average|percentile|geomedian|seasonal|quarterly|monthly|p\d\d)"
    r"(?![A-Za-z])",
    re.IGNORECASE,
)

_QUANTIFICATION_TAG = re.compile(r"(?:.*[:#.])?(?:BOA_)?QUANTIFICATION_VALUE")
_USUAL = 10_000.0
_OWN_BASELINE = "99"
"""Baseline 99.99 is that of products which somebody made with own programs, and says nothing of an offset."""
OFFSET_BASELINE = 4.0
"""From processing baseline 04.00 on, digital numbers hold 1000 more (ESA, Sentinel-2 products specification)."""
OFFSET_SINCE = "2022-01-25"
"""The day from which ESA has made products of that baseline (Sentinel-2 products specification)."""


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A statement found in a source, and where it was found, as a clause."""

    value: str
    where: str


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """What the metadata of a product say that its numbers mean: reflectance = (number + offset) ÷ value.

    Attributes:
        value: the quantification value.
        offsets: what is added first, by band; 0 in a band that is not among them.
        where: what says so, a clause.
    """

    value: float
    offsets: Mapping[str, float] = field(default_factory=dict)
    where: str = "the product metadata says so"


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What a source says of itself; None = it does not say.

    Attributes:
        date: ``YYYY-MM-DD``.
        level: ``L1C`` or ``L2A``.
        baseline: processing baseline such as ``04.00``.
        offset: what to add to digital numbers, such as ``-1000``.
        plain: a product whose numbers never hold the offset.
        since: the day of images as ESA calls them, where it is one since which all of them hold the offset.
        packed: a product that is defined by a scale and an offset, which are taken for those of tags.
        portal: a browser portal's raw export, whose whole numbers are reflectance × 65,535.
        synthetic: True = made by Landlike's own generator.
        period: first and last day as text, where a name states these in place of a day.
        unsure_days: days as text, of which a name does not tell which is that of the pixels.
        cloud: percent of the whole product under cloud, as text.
        quantity: what the metadata of a product say that its numbers mean.
    """

    date: Hint | None = None
    level: Hint | None = None
    baseline: Hint | None = None
    offset: Hint | None = None
    plain: Hint | None = None
    since: str | None = None
    packed: Hint | None = None
    portal: Hint | None = None
    synthetic: bool = False
    period: str | None = None
    unsure_days: str | None = None
    cloud: Hint | None = None
    quantity: Quantity | None = None


def read_hints(
    names: Iterable[str], tags: Mapping[str, str], documents: Iterable[str], bands: Iterable[str] = ()
) -> Hints:
    """Gather what a source says of itself.

    Args:
        names: names of its files and folders.
        tags: metadata of its rasters.
        documents: text of its product metadata files; searched as text, never parsed.
        bands: descriptions of its bands, some of which imply the level.
    """
    names, documents = list(names), list(documents)
    period = next((" to ".join(days) for name in names if (days := period_in(name))), None)
    period = period or next((f"many dates around {day}" for name in names if (day := synthesis_around(name))), None)
    named, unsure = (None, None) if period else _days_in_names(names)
    return Hints(
        date=_date_in_documents(documents) or named or _date_in_tags(tags),
        period=period,
        unsure_days=unsure,
        level=_level(names, tags, documents) or _level(list(bands), {}, ()),
        baseline=_baseline(names, tags, documents),
        offset=_offset(documents) or _offset_in_tags(tags),
        plain=_plain(names),
        since=_since(names),
        portal=_portal(names),
        synthetic=any("synthetic" in f"{key} {value}".lower() for key, value in tags.items()),
        cloud=_cloud(tags, documents),
        quantity=_quantity_in_documents(documents) or _quantity_in_tags(tags),
    )


def offset_hints(names: Iterable[str], tags: Mapping[str, str]) -> Hints:
    """Gather only what tags and names of patches say of the offset; arguments as of ``read_hints``.

    Patches are counted in many ways, so that a baseline is only what stands in a name as in that of a product.
    """
    stated = [found[0] for name in names if (found := _BASELINE_OF_PRODUCT.search(name))]
    return Hints(baseline=_baseline(stated, tags, ()), offset=_offset_in_tags(tags))


def _quantity_in_documents(documents: Iterable[str]) -> Quantity | None:
    """Return what product metadata say of numbers where offsets differ from band to band; None where they do not.

    One offset of all bands is decided with pixels in sight: programs that make rasters of a product take it off.
    """
    found = []
    for text in documents:
        pairs = [(int(number), float(offset)) for number, offset in _BAND_OFFSET_TEXT.findall(text)]
        offsets = {BAND_NAMES[number]: offset for number, offset in pairs if number < len(BAND_NAMES)}
        if len(set(offsets.values())) > 1:
            value = _QUANTIFICATION_TEXT.search(text)
            found.append(Quantity(value=(float(value[1]) if value else 0) or _USUAL, offsets=offsets))
    return found[0] if len(found) == 1 else None


def _quantity_in_tags(tags: Mapping[str, str]) -> Quantity | None:
    """Return the same of tags, as GDAL copies them from metadata: ``BOA_ADD_OFFSET_B2``."""
    offsets = {}
    for key, text in tags.items():
        if (named := _BAND_OFFSET_TAG.fullmatch(key)) is None:
            continue
        band = "B8A" if named[1] == "8A" else f"B{named[1]:0>2}"
        if band not in BAND_NAMES or not _NUMBER.fullmatch(text.strip()):
            return None
        offsets[band] = float(text)
    if len(set(offsets.values())) < 2:
        return None
    stated = [
        float(text) for key, text in tags.items() if _QUANTIFICATION_TAG.fullmatch(key) and _NUMBER.fullmatch(text)
    ]
    value = stated[0] if stated and stated[0] > 0 else _USUAL
    return Quantity(value=value, offsets=offsets, where="a tag of each band says so")


def _cloud(tags: Mapping[str, str], documents: Iterable[str]) -> Hint | None:
    """Return the share under cloud where product metadata or a tag of a known name states a percentage."""
    stated = [(found[1], "the product metadata says so") for text in documents for found in _CLOUD_TEXT.finditer(text)]
    stated += [(value.strip(), "a tag says so") for key, value in tags.items() if _CLOUD_TAG.fullmatch(key)]
    told = ((percent_of(value), where) for value, where in stated)
    return next((Hint(value=share, where=where) for share, where in told if share), None)


def percent_of(text: str) -> str:
    """Return a percentage in three digits; nothing where the text is none."""
    try:
        number = float(text)
    except ValueError:
        return ""
    return f"{number:.3g}" if 0 <= number <= 100 else ""


def valid_date(text: str) -> str | None:
    """Return a date that Sentinel-2 can have as ``YYYY-MM-DD``, or None."""
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return date.isoformat() if date >= FIRST_IMAGE else None


def _past_date(text: str) -> str | None:
    """Return the same of a number in a name, which is no date of the future; elsewhere it may be tomorrow already."""
    date = valid_date(text)
    latest = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
    return date if date is not None and date <= latest.isoformat() else None


def _level(names: list[str], tags: Mapping[str, str], documents: Sequence[str]) -> Hint | None:
    """Return the level as names and metadata spell it, or as the kind of product implies it."""
    for text in documents:
        found = _LEVEL_TEXT.search(text)
        if found:
            return Hint(value=f"L{found.group(1).upper()}", where="the product metadata says so")
    spelled = _corrected(names, tags)
    spelled = (
        spelled or _first(_LEVEL, names, "the file name says so") or _first(_LEVEL, tags.values(), "a tag says so")
    )
    if spelled is not None:
        return spelled
    if any(_SIZED.search(name) for name in names):
        return Hint(value="L2A", where="the file name states a size of pixels, as those of Level-2A do")
    for texts, where in ((names, "the name"), (list(tags.values()), "a tag")):
        for pattern, level, what in ((_SURFACE, "L2A", "surface reflectance"), (_TOP, "L1C", "top of atmosphere")):
            for text in texts:
                found = pattern.search(text)
                if found:
                    return Hint(value=level, where=f"{where} holds {found.group(0)}, which is {what}")
    return None


def _corrected(names: Sequence[str], tags: Mapping[str, str]) -> Hint | None:
    """Return that a program took the air's light off, which stands before the level of what it was given."""
    for texts, where in ((names, "the name"), (list(tags.values()), "a tag")):
        if (found := next(filter(None, map(_CORRECTED.search, texts)), None)) is not None:
            return Hint(value="L2A", where=f"{where} holds {found[0]}, which is surface reflectance")
    return None


def _since(names: Sequence[str]) -> str | None:
    """Return the day of images under ESA's own names, where all that were made since then hold the offset, or None."""
    days = {valid_date(f"{day[:4]}-{day[4:6]}-{day[6:]}") for name in names for day in _IMAGE.findall(name)}
    day = days.pop() if len(days) == 1 else None
    return day if day is not None and day >= OFFSET_SINCE else None


def _portal(names: Iterable[str]) -> Hint | None:
    raw = next((name for name in names if _RAW.search(name)), None)
    return Hint(value="raw", where="the file name is that of a browser portal's raw export") if raw else None


def _plain(names: Iterable[str]) -> Hint | None:
    for name in names:
        for pattern, title in _PLAIN:
            if pattern.search(name):
                return Hint(value=title, where="the file name")
    return None


def _first(pattern: re.Pattern[str], texts: Iterable[str], where: str) -> Hint | None:
    for text in texts:
        found = pattern.search(text)
        if found:
            return Hint(value=found.group(1).upper(), where=where)
    return None


def date_in(name: str) -> str | None:
    """Return the date that a name states, ``YYYY-MM-DD``: the file's own first, then its folders, nearest first.

    Where none of them does, the date may be three of its folders.
    """
    own = next((date for part in reversed(name.split("/")) if (date := _find_date(part))), None)
    folders = None if own else _DATED_FOLDERS.search(name)
    return own if folders is None else _past_date(f"{folders[1]}-{folders[2]:0>2}-{folders[3]:0>2}")


def dates_in(text: str) -> tuple[str, ...]:
    """Return all dates that a text states, ``YYYY-MM-DD`` each, in its order; those of another form are passed over."""
    found = (valid_date(f"{year}-{month}-{day}") for year, _, month, day in _DATE.findall(text))
    return tuple(date for date in found if date)


def without_dates(text: str) -> str:
    """Return a name without the dates, and times of day behind them, that it states."""
    for find, pattern in ((_day_first, _DAY_FIRST), (_month_first, _MONTH_FIRST)):
        if (date := find(text)) is not None and date == _find_date(text):
            text = pattern.sub("", text)
    return _GAPS.sub("_", _TIMED_DAY.sub("", _TIMED.sub("", text))).strip("_")


def _find_date(text: str) -> str | None:
    """Return the date that a text states: one that is surely of the pixels first, never the one of a file's making."""
    found = [match for match in _DATE.finditer(text) if not _WORKED.search(text[: match.start()])]
    found.sort(key=lambda match: not _is_of_pixels(text, match))
    dates = (_past_date(f"{match[1]}-{match[3]}-{match[4]}") for match in found)
    return next(filter(None, dates), None) or _by_day_of_year(text) or _day_first(text) or _month_first(text)


def _is_of_pixels(text: str, date: re.Match[str]) -> bool:
    """Tell whether a date in a text is surely that of the pixels: a time of day follows, or a word in front says so."""
    return bool(_SENSED.match(text, date.end()) or _TAKEN.search(text[: date.start()]))


def unsure_days_in(name: str) -> tuple[str, ...]:
    """Return days that the name of a file states, ``YYYY-MM-DD``, without telling which of them is that of the pixels.

    Two days may be those of pixels and of processing, or first and last of a period, or the other way round. Empty
    where there is one, or the name tells: by a word, a time of day, or because it is that of a known product.
    """
    name = name.rpartition("/")[2]
    found = [match for match in _DATE.finditer(name) if not _WORKED.search(name[: match.start()])]
    if any(_is_of_pixels(name, match) for match in found) or _TAKEN_FIRST.search(name):
        return ()
    rest = _DATE.sub("_", name)
    days = [_past_date(f"{match[1]}-{match[3]}-{match[4]}") for match in found] + [_day_first(rest), _month_first(rest)]
    different = tuple(dict.fromkeys(filter(None, days)))
    return different if len(different) > 1 else ()


def _by_day_of_year(text: str) -> str | None:
    for match in _DAY_OF_YEAR.finditer(text):
        year, day, before = int(match[1]), int(match[2]), text[: match.start()]
        found = datetime.date(year, 1, 1) + datetime.timedelta(days=day - 1)
        if found.year == year and not _COUNTED.search(before) and not _WORKED.search(before):
            return _past_date(found.isoformat())
    return None


def _month_first(text: str) -> str | None:
    """Return a date written with the name of its month first."""
    for match in _MONTH_FIRST.finditer(text):
        name, day, year = match[1].lower(), int(match[2]), match[3]
        if name in _MONTHS and not _WORKED.search(text[: match.start()]):
            return _past_date(f"{year}-{_MONTHS.index(name) + 1:02d}-{day:02d}")
    return None


def _day_first(text: str) -> str | None:
    """Return a date written with its day first; None where that is not sure, as in ``05-07-2019``."""
    for match in _DAY_FIRST.finditer(text):
        day, sign, month, name, year = match.groups()
        if _WORKED.search(text[: match.start()]):
            continue
        if name is not None:
            numbers = [int(day), _MONTHS.index(name.lower()) + 1] if name.lower() in _MONTHS else []
        else:
            numbers = [int(day), int(month)] if sign == "." or int(day) > 12 else []
        if numbers and (date := _past_date(f"{year}-{numbers[1]:02d}-{numbers[0]:02d}")):
            return date
    return None


def period_in(name: str) -> tuple[str, str] | None:
    """Return first and last day of a period that the name of a file states, as those of composites do, or None.

    Two dates are one where the name says so, or where they begin or end a month; that of a product may hold the day of
    processing behind that of the pixels.
    """
    name = name.rpartition("/")[2]
    found = _PERIOD.search(name)
    if found is None:
        return None
    first, last = (valid_date("-".join(found.group(n, n + 2, n + 3))) for n in (1, 6))
    if first is None or last is None or first >= last:
        return None
    next_day = datetime.date.fromisoformat(last) + datetime.timedelta(days=1)
    whole = first.endswith("-01") and (next_day.day == 1 or last.endswith("-01"))
    told = found[5] not in {"_", "-"} or _COMPOSITE.search(name) or re.search(_WHOLE_DAYS, found[0])
    return (first, last) if whole or told else None


def synthesis_around(name: str) -> str | None:
    """Return the day, ``YYYY-MM-DD``, around which lie those that a product of many dates is made of, by its name."""
    found = _SYNTHESIS.search(name.rpartition("/")[2])
    return date_in(found[1] or found[2]) if found else None


def _days_in_names(names: Sequence[str]) -> tuple[Hint | None, str | None]:
    """Return the date that names state, or the days of which they do not tell which it is."""
    unsure = next((days for name in names if (days := unsure_days_in(name))), ())
    dates = [date for name in names if not unsure_days_in(name) and (date := date_in(name))]
    sure = next((date for date in dates if not unsure or date in unsure), None)
    if sure is not None:
        return Hint(value=sure, where="the file name says so"), None
    return None, " and ".join(filter(None, (", ".join(unsure[:-1]), *unsure[-1:]))) or None


def _date_in_documents(documents: Iterable[str]) -> Hint | None:
    date = next((date for text in documents if (date := stated_start(text))), None)
    return Hint(value=date, where="the product metadata says so") if date else None


def stated_start(text: str) -> str | None:
    """Return the date that product metadata states, ``YYYY-MM-DD``, or None."""
    found = _START_TEXT.search(text)
    return valid_date(found.group(1)) if found else None


def _date_in_tags(tags: Mapping[str, str]) -> Hint | None:
    for key, value in tags.items():
        if not _DATE_TAG.search(key) or _OTHER_DATE_TAG.search(key):
            continue
        date = _find_date(value)
        if date and "days since" in value:
            date = _days_after(date, tags.get("NETCDF_DIM_t_VALUES", "0"))
        if date:
            return Hint(value=date, where="a tag says so")
    return None


def _days_after(date: str, days: str) -> str | None:
    if not re.fullmatch(r"\d{1,5}", days):
        return None
    return (datetime.date.fromisoformat(date) + datetime.timedelta(days=int(days))).isoformat()


def _baseline(names: Iterable[str], tags: Mapping[str, str], documents: Iterable[str]) -> Hint | None:
    searched = (
        (_BASELINE_TEXT, documents, "the product metadata"),
        (_BASELINE_TEXT, [f"{key}={value}" for key, value in tags.items()], "a tag"),
        (_BASELINE_NAME, names, "the file name"),
    )
    for pattern, texts, where in searched:
        for text in texts:
            found = pattern.search(text)
            if found and found.group(1) != _OWN_BASELINE:
                return Hint(value=f"{found.group(1)}.{found.group(2)}", where=where)
    return None


def _offset_in_tags(tags: Mapping[str, str]) -> Hint | None:
    values = {value.strip() for key, value in tags.items() if re.search(r"(?:BOA|RADIO)_ADD_OFFSET", key)}
    if len(values) != 1 or not re.fullmatch(r"-?\d{1,5}(?:\.0*)?", next(iter(values))):
        return None
    return Hint(value=str(int(float(values.pop()))), where="a tag says so")


def _offset(documents: Iterable[str]) -> Hint | None:
    values = {int(value) for text in documents for value in _OFFSET_TEXT.findall(text)}
    if len(values) != 1:
        return None
    return Hint(value=str(values.pop()), where="the product metadata says so")
