"""A picture's data as a PDF can hold them: as they are in the file where that is possible, else encoded anew, once.

As they are: JPEG, PNG without interlacing, and CCITT group 4 of a TIFF of one page (img2pdf), and JPEG 2000, which describes itself. Anew:
lossless sources without loss, bilevel ones as CCITT group 4; WebP, HEIC, AVIF and the other lossy ones as JPEG of quality JPEG_QUALITY;
what is transparent on the ground on which it was recognised.
"""

import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import img2pdf
import numpy as np
import pikepdf
from pikepdf import Dictionary, Name, Object, Pdf
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION

from recto.ocr.images.grey import composited, has_signed_bytes, to_grey
from recto.ocr.images.image_files import load_quietly, orientation_of
from recto.ocr.images.png_chunks import split_pixels
from recto.ocr.images.rare_kinds import is_rare_jpeg
from recto.ocr.writers.pdf import jpeg_2000

JPEG_QUALITY: Final = 90
"""Of 100, in libjpeg's scale, with the colours at half the resolution, as cameras store them."""

# It remarks on sizes that some viewers do not like; the page has the size that it has.
logging.getLogger("img2pdf").setLevel(logging.ERROR)

_ORIENTATION_TAG: Final = 274  # TIFF 6.0, section 8
_UPRIGHT: Final = 1
_JPEG_IN_TIFF: Final = ("jpeg", "tiff_jpeg", "webp")
_GROUNDS: Final = (255, 0, 128)
"""What `composited` lays transparent pictures on."""
_FULL_SCALES: Final = (255, 4095, 65_535)
_MIN_IS_WHITE: Final = 0  # TIFF 6.0, PhotometricInterpretation


@dataclass(frozen=True, slots=True)
class PictureData:
    """A PDF of one page that holds a picture; `pixels` are its data where they were left out of that: img2pdf would copy them five times."""

    page: bytes
    pixels: bytes | None = None

    def add_to(self, pdf: Pdf) -> Object:
        """The picture as an object of another PDF."""
        with pikepdf.open(io.BytesIO(self.page)) as source:
            (found,) = source.pages[0].obj.Resources.XObject.as_dict().values()
            picture = pdf.copy_foreign(found)
        if self.pixels is not None:
            picture.write(
                self.pixels, filter=Name.FlateDecode, decode_parms=Dictionary(dict(picture.DecodeParms.as_dict()))
            )
        return picture


def stored_orientation(image: Image.Image) -> int:
    """How the picture is turned in the file, as in Exif 2.32 (table 4): 1 to 8."""
    if image.format != "TIFF":
        return orientation_of(image)
    orientation = image.getexif().get(_ORIENTATION_TAG, _UPRIGHT)
    return orientation if orientation in range(1, 9) else _UPRIGHT


def picture_data(image: Image.Image, path: Path, stored: int, *, alone: bool) -> tuple[PictureData, int]:
    """The picture's data, and the orientation (1 to 8) that is left to be given to it.

    `image` is not yet decoded, `stored` its orientation in the file; `alone` where it is the only page of its file. Raises what Pillow's
    decoders raise.
    """
    if not image.has_transparency_data and _can_be_taken(image, path, alone=alone):
        try:
            return _as_it_is(image, path), stored
        except MemoryError:
            raise
        except Exception:  # nosec B110 # noqa: BLE001, S110 - img2pdf raises all sorts where it knows a picture's kind not: then it is encoded anew
            pass
    load_quietly(image)
    return PictureData(_converted(_encoded(image, path))), orientation_of(image)


def _can_be_taken(image: Image.Image, path: Path, *, alone: bool) -> bool:
    if image.format == "TIFF":
        return alone and image.info.get("compression") == "group4"
    if image.format in ("JPEG", "MPO"):
        return not is_rare_jpeg(path)  # readers of PDF need not know those
    return image.format in ("JPEG2000", "PNG")


def _as_it_is(image: Image.Image, path: Path) -> PictureData:
    data = path.read_bytes()
    if image.format == "JPEG2000":
        return PictureData(jpeg_2000.as_pdf(data, image.size))
    if image.format != "PNG":
        return PictureData(_converted(data))
    without_pixels, pixels = split_pixels(data)
    return PictureData(_converted(without_pixels), pixels)


def _converted(data: bytes) -> bytes:
    # The page that img2pdf lays out is not used: its rotations know no mirrored pictures.
    pdf: bytes = img2pdf.convert(
        io.BytesIO(data),
        rotation=img2pdf.Rotation.none,
        first_frame_only=True,
        nodate=True,
        engine=img2pdf.Engine.internal,
    )
    return pdf


def _encoded(image: Image.Image, path: Path) -> bytes:
    """The decoded picture in a format that img2pdf takes as it is."""
    is_lossy = _is_lossy(image, path)
    picture = _of_plain_mode(image)
    if is_lossy and picture.mode in ("P", "I;16"):  # JPEG has neither
        picture = picture.convert("RGB") if picture.mode == "P" else Image.fromarray(to_grey(image))
    profile = image.info.get("icc_profile") if _keeps_colours(image.mode, picture.mode) else None
    file = io.BytesIO()
    if picture.mode == "1":
        picture.save(file, "TIFF", compression="group4")
    elif is_lossy:
        picture.save(file, "JPEG", quality=JPEG_QUALITY, icc_profile=profile)
    elif picture.mode == "CMYK":
        picture.save(file, "TIFF", icc_profile=profile)
    else:
        picture.save(file, "PNG", icc_profile=profile)
    return file.getvalue()


def _of_plain_mode(image: Image.Image) -> Image.Image:
    """The picture in mode 1, L, P, RGB, CMYK or I;16."""
    if image.mode.startswith("I;16") and not image.has_transparency_data:
        return _of_sixteen_bits(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16") or has_signed_bytes(image):
        return Image.fromarray(to_grey(image))
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    if image.has_transparency_data:
        return _on_its_ground(image if image.mode in ("LA", "RGBA") else image.convert("RGBA"))
    if image.mode == "LAB":
        to_rgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        return ImageCms.applyTransform(image, to_rgb) or image
    return image if image.mode in ("1", "L", "P", "RGB", "CMYK") else image.convert("RGB")


def _of_sixteen_bits(image: Image.Image) -> Image.Image:
    """In the machine's byte order, white the largest number, and over the full scale: of 8 and 12 bits that are kept in 16 as well."""
    values = np.asarray(image).astype(np.uint16)
    full = next(full for full in _FULL_SCALES if values.max() <= full)
    if full < _FULL_SCALES[-1]:
        values = ((values.astype(np.uint32) * _FULL_SCALES[-1] + full // 2) // full).astype(np.uint16)
    if getattr(image, "tag_v2", {}).get(PHOTOMETRIC_INTERPRETATION) == _MIN_IS_WHITE:
        values = _FULL_SCALES[-1] - values
    return Image.fromarray(values)


def _on_its_ground(image: Image.Image) -> Image.Image:
    """A picture in mode LA or RGBA without its transparency, on the ground that recognition chose."""
    grey, alpha = np.asarray(image.convert("LA").getchannel(0)), np.asarray(image.getchannel("A"))
    clearest = np.unravel_index(int(alpha.argmin()), alpha.shape)
    seen, ink, opaque = int(composited(grey, alpha)[clearest]), int(grey[clearest]), int(alpha[clearest])
    ground = min(_GROUNDS, key=lambda ground: abs((ink * opaque + ground * (255 - opaque)) / 255 - seen))
    if not alpha.any():
        ground = 255  # nothing can be seen: an empty sheet
    colours = image.convert("L" if image.mode == "LA" else "RGB")
    paper = Image.new(colours.mode, image.size, ground if colours.mode == "L" else (ground,) * 3)
    paper.paste(colours, mask=image.getchannel("A"))
    return paper


def _is_lossy(image: Image.Image, path: Path) -> bool:
    if image.format == "TIFF":
        return image.info.get("compression") in _JPEG_IN_TIFF
    if image.format == "WEBP":
        return not _is_lossless_webp(path)
    return image.format in ("JPEG", "MPO", "JPEG2000", "HEIF", "AVIF")


def _is_lossless_webp(path: Path) -> bool:
    """Whether the pixels are in a chunk named VP8L (RFC 9649, 2.6): it comes among the first ones."""
    with path.open("rb") as file:
        return b"VP8L" in file.read(1 << 16)


def _keeps_colours(before: str, after: str) -> bool:
    """Whether the colour profile of one mode still holds in the other."""
    families = ({"1", "L", "LA", "La"}, {"RGB", "RGBA", "RGBa", "P"}, {"CMYK"})
    return any(before in family and after in family for family in families)
