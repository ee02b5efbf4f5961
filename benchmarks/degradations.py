"""Page images damaged as scanners, phones and time damage them, each family at three strengths, seeded.

    python -m benchmarks.degradations DATA OUT [--per-set N] [--families a,b] [--seed S]

DATA holds folders of NAME.png (or jpg, tif) with NAME.gt.txt beside it, and a file LANG; OUT/FAMILY gets folders of the same kind, with the
strength in the images' names. The damage depends on seed, family, strength and the image's name alone.
"""

import argparse
import math
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.page_sets import pages_of
from recto.ocr.preprocessing.ink import find_letters

Picture: TypeAlias = NDArray[np.uint8]
"""Shape (height, width) in grey, or (height, width, 3) in colour, blue first."""
Damage: TypeAlias = Callable[[Picture, float, np.random.Generator], Picture]

STRENGTHS: Final = {"mild": 0.0, "medium": 0.5, "strong": 1.0}


def between(low: float, high: float, strength: float) -> float:
    return low + (high - low) * strength


def stepped(mild: float, medium: float, strong: float, strength: float) -> float:
    """The value at a strength, where that of medium is not halfway."""
    return float(np.interp(strength, list(STRENGTHS.values()), [mild, medium, strong]))


def paper(page: Picture) -> int:
    """The grey of the paper."""
    return int(np.percentile(page[::8, ::8], 75))


def paper_colour(page: Picture) -> NDArray[np.float64]:
    """Of each channel: shape (1,) for a grey page, (3,) for one in colour."""
    return np.atleast_1d(np.percentile(page[::8, ::8], 75, axis=(0, 1))).astype(np.float64)


def _on(page: Picture, field: NDArray[Any]) -> NDArray[Any]:
    """A field of shape (height, width), made to go with all channels of the page."""
    return field if page.ndim == 2 else field[..., None]


def _paper_field(page: Picture) -> NDArray[np.float64]:
    """The paper's colour at each pixel, in the shape of the page."""
    colour = paper_colour(page)
    return np.broadcast_to(colour[0] if page.ndim == 2 else colour, page.shape)


def _ink(page: Picture) -> NDArray[np.float64]:
    """How much darker than the paper each pixel is; below 0 where it is lighter."""
    return _paper_field(page) - page.astype(np.float64)


def _picture(values: NDArray[Any]) -> Picture:
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)


def at_100_dpi(page: Picture, strength: float, _: np.random.Generator) -> Picture:
    """As scanned at 120 to 85 dpi: an A4 page of 1,400 to 1,000 pixels. A smaller page stays as it is."""
    factor = between(1400, 1000, strength) / max(page.shape)
    return (
        np.asarray(cv2.resize(page, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)) if factor < 1 else page
    )


def jpeg(page: Picture, strength: float, _: np.random.Generator) -> Picture:
    """JPEG of quality 50, 30 and 15."""
    data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, round(stepped(50, 30, 15, strength))])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), dtype=np.uint8)


def tilted(page: Picture, strength: float, chance: np.random.Generator) -> Picture:
    """Turned by 1.5, 5 or 10 degrees either way on a canvas that holds all of it; by 1.5 also on its own, as a scanner cuts it."""
    angle_deg = stepped(1.5, 5, 10, strength) * chance.choice([-1, 1])
    height, width = page.shape[:2]
    sine, cosine = abs(math.sin(math.radians(angle_deg))), abs(math.cos(math.radians(angle_deg)))
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    if strength == 0 and chance.random() < 0.5:
        size = width, height
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    colour = tuple(paper_colour(page))
    return np.asarray(cv2.warpAffine(page, turn, size, flags=cv2.INTER_CUBIC, borderValue=colour), np.uint8)


def quarter_turned(page: Picture, strength: float, _: np.random.Generator) -> Picture:
    """By 90, 180 and 270 degrees."""
    return np.ascontiguousarray(np.rot90(page, 1 + round(2 * strength)))


def unevenly_lit(page: Picture, strength: float, chance: np.random.Generator) -> Picture:
    """A lamp at one side and the soft edge of a shadow: the darkest place keeps 60 to 25 percent of its light."""
    height, width = page.shape[:2]
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    angle = chance.uniform(0, 2 * math.pi)
    slope = np.clip(0.5 + (x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle), 0, 1)
    angle = chance.uniform(0, 2 * math.pi)
    edge = (x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle) - chance.uniform(-0.25, 0.25)
    shadow = 1 / (1 + np.exp(edge / between(0.05, 0.012, strength)))
    darkest = between(0.6, 0.25, strength)
    light = (1 - (1 - darkest**0.6) * slope) * (1 - (1 - darkest**0.4) * shadow)
    return _picture(page * _on(page, light))


def noisy(page: Picture, strength: float, chance: np.random.Generator) -> Picture:
    """One of three: a sensor's grain (sigma 15 to 45 of 255), specks of salt and pepper (1 to 5 percent), speckle (10 to 30 percent of the light)."""
    kind = chance.choice(["grain", "specks", "speckle"])
    if kind == "grain":
        return _picture(page + chance.normal(0, between(15, 45, strength), page.shape))
    if kind == "speckle":
        return _picture(page * (1 + chance.normal(0, between(0.1, 0.3, strength), page.shape)))
    specked, rolls, share = page.copy(), chance.random(page.shape[:2]), between(0.01, 0.05, strength) / 2
    specked[rolls < share], specked[rolls > 1 - share] = 0, 255
    return specked


def photographed(page: Picture, strength: float, chance: np.random.Generator) -> Picture:
    """A sheet on a darker desk, not taken from straight above: corners moved by up to 3 to 12 percent of the sides."""
    height, width = page.shape[:2]
    margin, most = chance.uniform(0.03, 0.1), between(0.03, 0.12, strength)
    moves = chance.uniform(0.3, 1, (4, 2)) * most * [width, height]
    inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    target = corners + moves * inward + [margin * width, margin * height]
    size = round(width * (1 + 2 * margin)), round(height * (1 + 2 * margin))
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32))
    desk = _on(page, _desk(size, chance))
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size, flags=cv2.INTER_LINEAR) / 255.0
    sheet = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return _picture(sheet * _on(page, mask) + desk * (1 - _on(page, mask)))


def _desk(size: tuple[int, int], chance: np.random.Generator) -> NDArray[np.float64]:
    """Grain of wood, 40 to 100 of 255."""
    rough = chance.normal(0, 1, (size[1] // 8 + 1, size[0] // 64 + 1))
    grain = cv2.resize(cv2.GaussianBlur(rough, (0, 0), 2), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(chance.uniform(40, 100) + 40 * grain + chance.normal(0, 3, grain.shape))


def bordered(page: Picture, strength: float, chance: np.random.Generator) -> Picture:
    """The scanner's lid: black around the sheet, 3 to 10 percent of a side, on one to four sides; half of the pages are of an open book."""
    page = _with_neighbour(page, strength, chance) if chance.random() < 0.5 else page
    height, width = page.shape[:2]
    sides = chance.permutation(4)[: 1 + round(3 * strength)]
    widths = [0, 0, 0, 0]
    for side in sides:
        length = height if side < 2 else width
        widths[side] = round(length * between(0.03, 0.1, strength) * chance.uniform(0.7, 1.3))
    top, bottom, left, right = widths
    framed = cv2.copyMakeBorder(page, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(0, 0, 0)).astype(np.float64)
    dark = chance.uniform(5, 40) + chance.normal(0, 4, framed.shape)
    inside = np.zeros(framed.shape, bool)
    inside[top : top + height, left : left + width] = True
    return _picture(np.where(inside, framed, dark))


def _with_neighbour(page: Picture, strength: float, chance: np.random.Generator) -> Picture:
    """The facing page's inner margin beside it, 3 to 8 percent of the width, and the shadow of the fold between them."""
    width = page.shape[1]
    strip = round(width * between(0.03, 0.08, strength))
    on_left = chance.random() < 0.5
    both = np.concatenate([page[:, -strip:], page] if on_left else [page, page[:, :strip]], axis=1)
    from_fold = np.arange(both.shape[1]) - (strip if on_left else width)
    shadow = 1 - between(0.5, 0.8, strength) * np.exp(-np.abs(from_fold) / (0.012 * width))
    return _picture(both * _on(page, np.broadcast_to(shadow, both.shape[:2])))


def inverted(page: Picture, strength: float, _: np.random.Generator) -> Picture:
    """Light on dark, up to less than full contrast."""
    return np.asarray(255 - page * between(1, 0.8, strength), np.uint8)


def faded(page: Picture, strength: float, chance: np.random.Generator) -> Picture:
    """Contrast down to 45 to 20 percent, and the grain of the scanner (sigma 3 to 6 of 255), which does not fade."""
    ink = _ink(page) * between(0.45, 0.2, strength)
    return _picture(_paper_field(page) - ink + chance.normal(0, between(3, 6, strength), page.shape))


def bled_through(page: Picture, strength: float, _: np.random.Generator) -> Picture:
    """The other side shines through: the page mirrored, blurred, at 15 to 45 percent."""
    back = cv2.GaussianBlur(np.ascontiguousarray(page[:, ::-1]), (0, 0), max(page.shape) / 1500)
    ink = np.clip(_ink(np.asarray(back, np.uint8)), 0, None) * between(0.15, 0.45, strength)
    return _picture(page - np.minimum(ink, page))


def blurred(page: Picture, strength: float, _: np.random.Generator) -> Picture:
    """Out of focus: sigma from 1/3000 to 1/1200 of the longer side."""
    return np.asarray(cv2.GaussianBlur(page, (0, 0), max(page.shape) / between(3000, 1200, strength)), np.uint8)


def curled(page: Picture, strength: float, chance: np.random.Generator) -> Picture:
    """A book's page that rises towards the fold: lines bend by 0.6 to 4 percent of the width, most at one side."""
    height, width = page.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    along = x / width if chance.random() < 0.5 else 1 - x / width
    bend = width * between(0.006, 0.04, strength) * np.exp(-4 * along) * (0.6 + 0.4 * y / height)
    return np.asarray(
        cv2.remap(page, x, (y - bend).astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def underlined(page: Picture, strength: float, _: np.random.Generator) -> Picture:
    """A rule along every line of text, from just below its letters' feet up into them."""
    ruled = page.copy()
    letters = find_letters(page if page.ndim == 2 else np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), np.uint8))
    if not letters.height.size:
        return ruled
    height = float(np.median(letters.height))
    usual = (letters.height > 0.7 * height) & (letters.height < 1.8 * height)
    left, width, bottom = letters.left[usual], letters.width[usual], letters.bottom[usual]
    for x, w, y in zip(left, width, bottom, strict=True):
        line = bottom[(np.abs(left - x) < 6 * height) & (np.abs(bottom - y) < 0.4 * height)]
        foot = float(np.median(line)) + between(0.15, -0.1, strength) * height
        start, end = (round(x - 0.6 * height), round(foot)), (round(x + w + 0.6 * height), round(foot))
        cv2.line(ruled, start, end, (40, 40, 40), max(1, round(between(0.08, 0.14, strength) * height)))
    return ruled


FAMILIES: Final[dict[str, Damage]] = {
    "quarter_turns": quarter_turned,
    "tilts": tilted,
    "inverted": inverted,
    "100_dpi": at_100_dpi,
    "uneven_light": unevenly_lit,
    "perspective": photographed,
    "noise": noisy,
    "borders": bordered,
    "jpeg": jpeg,
    "faded": faded,
    "bleed_through": bled_through,
    "blur": blurred,
    "curl": curled,
    "rules": underlined,
}


def damaged(page: Picture, family: str, strength: str, name: str, seed: int = 0) -> Picture:
    """The page of that name after the damage."""
    chance = np.random.default_rng([seed, zlib.crc32(f"{family}/{strength}/{name}".encode())])
    return FAMILIES[family](page, STRENGTHS[strength], chance)


def picture_of(path: Path) -> Picture:
    """The image in grey, or in colour where it has any, on white where it is transparent."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise SystemExit(f"{path} is no image.")
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        opacity = pixels[..., 3:].astype(np.float64) / 255
        pixels = (pixels[..., :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)
    if pixels.ndim == 3 and np.ptp(pixels[::8, ::8], axis=2).max() < 8:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    return np.asarray(pixels, dtype=np.uint8)


def write_damaged(folder: Path, out: Path, families: list[str], most: int, seed: int) -> Iterator[Path]:
    """Damaged copies of a set's pages, `most` of them evenly spread, the truth beside each."""
    for image, truth in pages_of(folder, most):
        page = picture_of(image)
        for family in families:
            place = out / family / folder.name
            place.mkdir(parents=True, exist_ok=True)
            (place / "LANG").write_text((folder / "LANG").read_text(encoding="utf-8"), encoding="utf-8")
            for strength in STRENGTHS:
                path = place / f"{image.stem}.{strength}.png"
                cv2.imwrite(
                    str(path), damaged(page, family, strength, image.name, seed), [cv2.IMWRITE_PNG_COMPRESSION, 1]
                )
                path.with_name(f"{image.stem}.{strength}.gt.txt").write_text(truth, encoding="utf-8")
                yield path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--per-set", type=int, default=0, help="at most this many pages of each folder; 0: all")
    parser.add_argument("--families", default=",".join(FAMILIES), help="comma-separated")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    families = options.families.split(",")
    for language in sorted(options.data.glob("*/LANG")):
        written = list(write_damaged(language.parent, options.out, families, options.per_set, options.seed))
        print(f"{language.parent.name}: {len(written)} images, seed {options.seed}")


if __name__ == "__main__":
    main()
