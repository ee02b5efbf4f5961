"""Takes a page's old invisible text out, so that a new layer replaces it: in the page's content and in the forms that it draws.

Invisible is text in render mode 3, and in mode 7 (clipping) where nothing is painted through it. Only the operators that show such
text go: all that they set or that is seen stays. Contents and forms that pages share are left alone; the page gets its own.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import pikepdf
from pikepdf import (
    ContentStreamInlineImage,
    ContentStreamInstruction,
    Dictionary,
    Name,
    Object,
    Operator,
    Page,
    Pdf,
    Stream,
)

_Instruction: TypeAlias = ContentStreamInstruction | ContentStreamInlineImage

_INVISIBLE: Final = 3
_CLIPPING: Final = 7

# ISO 32000-1, table 51 and annex A.
_SHOWING: Final = frozenset({"Tj", "TJ", "'", '"'})
_PLACING: Final = frozenset({"Td", "TD", "Tm", "T*"})
_PAINTING: Final = frozenset(
    {"S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do", "INLINE IMAGE", "EI", *_SHOWING}
)
_STREAM_KEYS: Final = frozenset({"/Length", "/Filter", "/DecodeParms"})


def take_out_invisible_text(pdf: Pdf, page: Page) -> None:
    """Changes the page only where it has such text. A content stream that cannot be parsed stays as it is."""
    remover = _Remover(pdf)
    resources = page.obj.get(Name.Resources, Dictionary())
    cleaned = remover.clean(page, resources, 0)
    if cleaned is not None:
        content, own_resources = cleaned
        page.obj.Contents = pdf.make_stream(content)
        page.obj.Resources = own_resources


@dataclass(slots=True)
class _Remover:
    """`forms`: what became of forms met before, by object and inherited render mode; None while or where nothing changes."""

    pdf: Pdf
    forms: dict[tuple[tuple[int, int], int], Object | None] = field(default_factory=dict)

    def clean(self, source: Page | Object, resources: Object, mode: int) -> tuple[bytes, Object] | None:
        """The content without invisible text and the resources that it needs; None where there is nothing to take out."""
        try:
            instructions = list(pikepdf.parse_content_stream(source))
        except pikepdf.PdfError:
            return None
        modes = _render_modes(instructions, mode)
        replaced = self._clean_forms(instructions, modes, resources)
        doomed = _invisible_shows(instructions, modes)
        if not doomed and not replaced:
            return None
        kept = [
            part
            for index, instruction in enumerate(instructions)
            for part in (_without_text(instruction) if index in doomed else [instruction])
        ]
        return pikepdf.unparse_content_stream(kept), _with_forms(resources, replaced)

    def _clean_forms(
        self, instructions: Sequence[_Instruction], modes: Sequence[int], resources: Object
    ) -> dict[str, Object]:
        """Cleaned forms by their names in `resources`."""
        replaced = {}
        for instruction, mode in zip(instructions, modes, strict=True):
            if str(instruction.operator) == "Do" and instruction.operands:
                name = instruction.operands[0]
                form = _form(resources, name)
                cleaned = None if form is None else self._clean_form(form, resources, mode)
                if cleaned is not None:
                    replaced[str(name)] = cleaned
        return replaced

    def _clean_form(self, form: Stream, resources: Object, mode: int) -> Object | None:
        key = (form.objgen, mode)
        if key in self.forms:
            return self.forms[key]
        self.forms[key] = None  # a form that draws itself ends here
        cleaned = self.clean(form, form.get(Name.Resources, resources), mode)
        if cleaned is not None:
            content, own_resources = cleaned
            own = self.pdf.make_stream(content)
            for name, value in form.items():
                if name not in _STREAM_KEYS:
                    own[name] = value
            own.Resources = own_resources
            self.forms[key] = own
        return self.forms[key]


def _form(resources: Object, name: Object) -> Stream | None:
    forms = resources.get(Name.XObject) if isinstance(resources, Dictionary) else None
    form = forms.get(name) if isinstance(forms, Dictionary) and isinstance(name, Name) else None
    return form if isinstance(form, Stream) and form.get(Name.Subtype) == Name.Form else None


def _with_forms(resources: Object, replaced: dict[str, Object]) -> Object:
    if not replaced:
        return resources
    own = copy(resources)
    own.XObject = copy(resources.XObject)
    for name, form in replaced.items():
        own.XObject[name] = form
    return own


def _render_modes(instructions: Sequence[_Instruction], mode: int) -> list[int]:
    """The text render mode under which each instruction is carried out."""
    modes, saved = [], []
    for instruction in instructions:
        operator = str(instruction.operator)
        if operator == "q":
            saved.append(mode)
        elif operator == "Q" and saved:
            mode = saved.pop()
        elif operator == "Tr" and instruction.operands:
            mode = _whole(instruction.operands[0], mode)
        modes.append(mode)
    return modes


def _whole(value: object, otherwise: int) -> int:
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return otherwise


def _invisible_shows(instructions: Sequence[_Instruction], modes: Sequence[int]) -> set[int]:
    """Indexes of the operators that show invisible text and whose going moves nothing that is seen.

    Showing text moves the point where the next one begins, unless that one is placed anew within the text object. So the
    instructions are gone through from the last to the first.
    """
    doomed: set[int] = set()
    visible_follows = painted_through = False
    for index in range(len(instructions) - 1, -1, -1):
        operator = str(instructions[index].operator)
        if operator in _SHOWING:
            if modes[index] == _INVISIBLE or (modes[index] == _CLIPPING and not painted_through):
                if not visible_follows:
                    doomed.add(index)
            else:
                visible_follows = True
            if operator in "'\"":
                visible_follows = False
        if operator in _PLACING or operator == "ET":
            visible_follows = False
        if operator == "Q":
            painted_through = False
        elif (
            operator == "q"
            or operator in _PAINTING
            or (operator in _SHOWING and modes[index] not in (_INVISIBLE, _CLIPPING))
        ):
            # What came before a saved state may be painted on after it was restored: that is not looked into.
            painted_through = True
    return doomed


def _without_text(instruction: _Instruction) -> list[_Instruction]:
    """What showing text does besides: ' moves to the next line, and \" sets the spacing before."""
    operator, operands = str(instruction.operator), instruction.operands
    if operator == "'":
        return [ContentStreamInstruction([], Operator("T*"))]
    if operator == '"' and len(operands) == 3:
        return [
            ContentStreamInstruction([operands[0]], Operator("Tw")),
            ContentStreamInstruction([operands[1]], Operator("Tc")),
            ContentStreamInstruction([], Operator("T*")),
        ]
    return []
