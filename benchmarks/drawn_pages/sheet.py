"""A sheet of paper on which text is set; what is set is written down as the truth."""

from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont


def wrapped(text: str, font: ImageFont.FreeTypeFont, width_px: float) -> list[str]:
    """The text in lines of at most that width, unless a word alone is wider."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and font.getlength(longer) > width_px:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line] if line else lines


@dataclass(slots=True)
class Sheet:
    """Black ink on white, grey levels of 8 bits."""

    width: int
    height: int
    lines: list[str] = field(default_factory=list)
    image: Image.Image = field(init=False)
    pen: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        self.image = Image.new("L", (self.width, self.height), 255)
        self.pen = ImageDraw.Draw(self.image)

    @property
    def truth(self) -> str:
        """What was written down, a line each."""
        return "\n".join(self.lines) + "\n"

    def put(
        self, x: float, y: float, text: str, font: ImageFont.FreeTypeFont, *, anchor: str = "ls", ink: int = 0
    ) -> None:
        """Draw text without writing it down; y is the baseline unless the anchor (as Pillow's) says otherwise."""
        self.pen.text((x, y), text, font=font, anchor=anchor, fill=ink)

    def line(
        self, x: float, y: float, text: str, font: ImageFont.FreeTypeFont, *, anchor: str = "ls", ink: int = 0
    ) -> None:
        """Draw a line of text and write it down."""
        self.put(x, y, text, font, anchor=anchor, ink=ink)
        self.lines.append(text)

    def cells(
        self, y: float, cells: list[tuple[float, str, str]], font: ImageFont.FreeTypeFont, *, ink: int = 0
    ) -> None:
        """Draw (x, text, anchor) side by side and write them down as one line."""
        for x, text, anchor in cells:
            self.put(x, y, text, font, anchor=anchor, ink=ink)
        self.lines.append(" ".join(text for _, text, _ in cells if text))

    def block(
        self, x: float, y: float, text: str, font: ImageFont.FreeTypeFont, width_px: float, leading_px: float
    ) -> float:
        """Draw text in wrapped lines, flush left; the baseline after the last."""
        for row in wrapped(text, font, width_px):
            self.line(x, y, row, font)
            y += leading_px
        return y

    def justified(
        self,
        x: float,
        y: float,
        text: str,
        font: ImageFont.FreeTypeFont,
        width_px: float,
        leading_px: float,
        *,
        indent_px: float = 0,
        bottom: float = float("inf"),
    ) -> float:
        """Draw a justified paragraph down to `bottom`, where it breaks off; the baseline after the last line."""
        rows = wrapped(text, font, width_px - indent_px / 3)
        for index, row in enumerate(rows):
            if y > bottom:
                break
            start = x + indent_px if index == 0 else x
            self._spread(start, y, row, font, x + width_px - start, last=index == len(rows) - 1)
            y += leading_px
        return y

    def _spread(
        self, x: float, y: float, row: str, font: ImageFont.FreeTypeFont, width_px: float, *, last: bool
    ) -> None:
        words = row.split()
        free_px = width_px - sum(font.getlength(word) for word in words)
        space_px = font.getlength(" ") if last or len(words) == 1 else free_px / (len(words) - 1)
        for word in words:
            self.put(x, y, word, font)
            x += font.getlength(word) + space_px
        self.lines.append(row)
