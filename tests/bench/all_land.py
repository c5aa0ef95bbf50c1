"""What embedding all land once would take, from what one tile was measured to take: run it as a program.

    python -m tests.bench.all_land --price 0.05 --computers 100
    python -m tests.bench.all_land --price 0.05 --seconds 111 --processor 173 --written 26 --read 630

Each number is a measured one of ``test_embed.py`` times a count that is named beside it; nothing is lost here by many
computers at once, which the bench of the cluster measures.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.results import load

TILES = 18_000
"""Tiles of Sentinel-2's grid that hold land, about."""

PATCHES = 29_241
"""Of a full tile, at 64 pixels."""

TEST = "test_embed.py::test_full_tiles_one_after_another"
_LINE = re.compile(
    r"a tile: ([\d,]+) patches, ([\d,.]+) s, ([\d,.]+) processor-seconds, ([\d,.]+) MB written, ([\d,.]+) MB read"
)


@dataclass(frozen=True, kw_only=True)
class TileCost:
    """What one full tile takes on one computer, in a run over several.

    Attributes:
        patches: of it.
        seconds: on the clock.
        processor: seconds of processors.
        written: bytes of its file and its item.
        read: bytes of its source.
    """

    patches: int
    seconds: float
    processor: float
    written: float
    read: float

    def line(self) -> str:
        """Return it as the bench prints it."""
        return (
            f"a tile: {self.patches:,} patches, {self.seconds:,.1f} s, {self.processor:,.1f} processor-seconds, "
            f"{self.written / 1e6:,.2f} MB written, {self.read / 1e6:,.1f} MB read"
        )


def cost_of(line: str) -> TileCost | None:
    """Return what a line of the bench says; None for another line."""
    found = _LINE.search(line)
    if found is None:
        return None
    patches, seconds, processor, written, read = (float(number.replace(",", "")) for number in found.groups())
    return TileCost(
        patches=int(patches), seconds=seconds, processor=processor, written=written * 1e6, read=read * 1e6
    )  # fmt: skip


def all_land(cost: TileCost, *, price: float, computers: int, tiles: int = TILES) -> Iterator[str]:
    """Yield what all land takes, a number a line, each with what it is made of.

    Args:
        cost: of one tile.
        price: of an hour of one processor.
        computers: such as the one that was measured, each with scenes of its own.
        tiles: of all land.
    """
    hours = tiles * cost.processor / 3600
    yield f"patches: {tiles * cost.patches / 1e6:,.0f} million = {tiles:,} tiles × {cost.patches:,}"
    yield f"processor-hours: {hours:,.0f} = {tiles:,} tiles × {cost.processor:,.1f} processor-seconds"
    yield f"money: {hours * price:,.0f} = {hours:,.0f} processor-hours × {price:g}, without storage and traffic"
    clock = tiles * cost.seconds / computers / 3600
    yield f"on the clock: {clock:,.1f} h = {tiles:,} tiles × {cost.seconds:,.1f} s ÷ {computers:,} computers"
    yield f"written: {tiles * cost.written / 1e12:,.2f} TB = {tiles:,} tiles × {cost.written / 1e6:,.2f} MB"
    yield f"read: {tiles * cost.read / 1e12:,.1f} TB = {tiles:,} tiles × {cost.read / 1e6:,.1f} MB"


def main() -> int:
    """Print it for a price and a number of computers; 1 = nothing was measured yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--price", type=float, required=True, help="of an hour of one processor")
    parser.add_argument("--computers", type=int, default=1)
    parser.add_argument("--tiles", type=int, default=TILES)
    for name, unit in (("seconds", "s"), ("processor", "s"), ("written", "MB"), ("read", "MB")):
        parser.add_argument(f"--{name}", type=float, metavar=unit.upper(), help=f"{unit} a tile, where it was not kept")
    options = parser.parse_args()
    given = [getattr(options, name) for name in ("seconds", "processor", "written", "read")]
    lines = [line for one in load() if one.test == TEST for line in one.lines]
    cost = next(filter(None, map(cost_of, lines)), None)
    if None not in given:
        seconds, processor, written, read = given
        cost = TileCost(
            patches=PATCHES, seconds=seconds, processor=processor, written=written * 1e6, read=read * 1e6
        )  # fmt: skip
    if cost is None:
        sys.stderr.write("Nothing is kept of test_embed.py: run it, or give what a tile takes by all four options\n")
        return 1
    print(*all_land(cost, price=options.price, computers=options.computers, tiles=options.tiles), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
