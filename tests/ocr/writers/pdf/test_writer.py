"""The searchable PDF of a PDF: what stays as it was, and what the layer replaces."""

import io
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Encryption, Name, OutlineItem, Pdf, String

from recto.errors import DocumentDamaged, DocumentEncrypted
from recto.ocr.corrections import WordsCorrection, corrected
from recto.ocr.document_file import DocumentFile
from recto.ocr.page import Page, TextLayerUse
from recto.ocr.writers.pdf.writer import write_pdf
from recto.ocr.writers.pdf.xmp import NAMESPACE
from tests.drawing import LINES, draw_page, save_pdf
from tests.ocr.writers.pdf.samples import (
    CREATED,
    document,
    line_of,
    page_of,
    pdfium_text,
    plumber_words,
    poppler_text,
    recognised,
    rendered,
    same_look,
    upright,
    written,
)

FIRST_WORDS = "The quick brown fox"


def scan(path: Path, pages: int = 1) -> Path:
    return save_pdf(path, [draw_page().pixels] * pages)


def drawn_page(number: int = 1, text_layer: TextLayerUse = "none") -> Page:
    return recognised(draw_page(), LINES, number=number, text_layer=text_layer)


def typed_pdf(path: Path, content: bytes, *, forms: dict[str, bytes] | None = None) -> Path:
    """A page of 600 x 400 points with that content; /F1 is Helvetica, `forms` are there as form XObjects."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(600, 400))
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    fonts = Dictionary(F1=pdf.make_indirect(font))
    page.obj.Resources = Dictionary(Font=fonts, XObject=Dictionary())
    for name, data in (forms or {}).items():
        form = pdf.make_stream(data, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 600, 400]))
        form.Resources = Dictionary(Font=fonts)
        page.obj.Resources.XObject[name] = form
    page.obj.Contents = pdf.make_stream(content)
    pdf.save(path)
    return path


def typed_page(words: dict[str, tuple[float, float]], text_layer: TextLayerUse) -> Page:
    """Each word of 20 points height at its lower left corner in points, on a page of 600 x 400 points at 72 dpi."""
    lines = [line_of([(text, upright(x, 380 - y, x + 100, 400 - y))]) for text, (x, y) in words.items()]
    return page_of(lines, 600, 400, dpi=72, text_layer=text_layer)


def test_pages_of_a_pdf_look_as_before_and_gain_their_text(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf", pages=3)
    pdf = written((drawn_page(number) for number in (1, 2, 3)), path, 3)
    assert same_look(path.read_bytes(), pdf)
    for number in (1, 2, 3):
        assert FIRST_WORDS in pdfium_text(pdf, number)


def test_pages_that_were_not_read_stay_untouched(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf", pages=4)
    pdf = written([drawn_page(2), drawn_page(4)], path, 4)
    assert [bool(pdfium_text(pdf, number).strip()) for number in (1, 2, 3, 4)] == [False, True, False, True]
    with pikepdf.open(path) as before, pikepdf.open(io.BytesIO(pdf)) as after:
        assert after.pages[0].Contents.read_bytes() == before.pages[0].Contents.read_bytes()
        assert Name.Font not in after.pages[0].obj.get(Name.Resources, Dictionary())
        assert len(after.pages) == 4


def test_layer_costs_little(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf", pages=5)
    pdf = written((drawn_page(number) for number in range(1, 6)), path, 5)
    assert len(pdf) - path.stat().st_size < 5_000 + 5 * 2_500


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf", pages=2)
    one, other = (written([drawn_page(1), drawn_page(2)], path, 2) for _ in range(2))
    assert one == other


def test_sink_may_be_a_pipe(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.content = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object, /) -> int:
            self.content += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    path, pipe = scan(tmp_path / "scan.pdf"), Pipe()
    write_pdf(document(), [drawn_page()], DocumentFile(path), pipe)  # type: ignore[arg-type]
    assert bytes(pipe.content) == written([drawn_page()], path)


def test_everything_else_in_the_document_stays(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf", pages=2)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.docinfo.Title = String("Annual report")
        pdf.docinfo.Producer = String("A scanner")
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            metadata["dc:title"] = "Annual report"
        with pdf.open_outline() as outline:
            outline.root.append(OutlineItem("Chapter", 1))
        pdf.attachments["figures.csv"] = pikepdf.AttachedFileSpec(pdf, b"1,2,3\n", filename="figures.csv")
        link = Dictionary(
            Type=Name.Annot,
            Subtype=Name.Link,
            Rect=Array([10, 10, 50, 50]),
            Border=Array([0, 0, 0]),
            A=Dictionary(S=Name.URI, URI=String("https://example.org/")),
        )
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(link)])
        pdf.pages[0].obj.CropBox = Array([20, 20, 250, 150])
        pdf.pages[0].obj.TrimBox = Array([30, 30, 240, 140])
        pdf.Root.PageLabels = Dictionary(Nums=Array([0, Dictionary(S=Name.r)]))
        pdf.Root.MarkInfo = Dictionary(Marked=True)
        pdf.Root.StructTreeRoot = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        pdf.save(path)
    result = written([drawn_page(2)], path, 2)
    with pikepdf.open(io.BytesIO(result)) as pdf:
        assert (str(pdf.docinfo.Title), str(pdf.docinfo.Producer)) == ("Annual report", "A scanner")
        with pdf.open_metadata() as metadata:
            assert metadata["dc:title"] == "Annual report"
        with pdf.open_outline() as outline:
            assert [item.title for item in outline.root] == ["Chapter"]
        assert pdf.attachments["figures.csv"].get_file().read_bytes() == b"1,2,3\n"
        assert str(pdf.pages[0].obj.Annots[0].A.URI) == "https://example.org/"
        assert [float(side) for side in pdf.pages[0].obj.CropBox] == [20, 20, 250, 150]
        assert [float(side) for side in pdf.pages[0].obj.TrimBox] == [30, 30, 240, 140]
        assert pdf.pages[1].label == "ii"
        assert Name.StructTreeRoot in pdf.Root


def test_layer_starts_from_a_clean_state_whatever_the_page_leaves_behind(tmp_path: Path) -> None:
    path = typed_pdf(tmp_path / "odd.pdf", b"Q 3 0 0 3 50 50 cm q 0.5 g 10 10 20 20 re f")
    pdf = written([typed_page({"word": (100, 200)}, "none")], path)
    assert same_look(path.read_bytes(), pdf)
    assert plumber_words(pdf)[0][1:] == pytest.approx((100, 180, 200, 200), abs=0.5)


def test_page_without_resources_or_content_takes_a_layer(tmp_path: Path) -> None:
    path = tmp_path / "bare.pdf"
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(600, 400))
        for key in (Name.Contents, Name.Resources):
            if key in page.obj:
                del page.obj[key]
        pdf.save(path)
    assert pdfium_text(written([typed_page({"word": (100, 200)}, "none")], path)).strip() == "word"


def test_resources_that_pages_share_serve_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "shared.pdf"
    with pikepdf.new() as pdf:
        for _ in range(3):
            pdf.add_blank_page(page_size=(600, 400))
        shared = pdf.make_indirect(Dictionary(Font=Dictionary()))
        for page in pdf.pages:
            page.obj.Resources = shared
        pdf.save(path)
    pages = [
        page_of([line_of([(f"page{n}", upright(100, 100, 200, 120))])], 600, 400, number=n, dpi=72) for n in (1, 3)
    ]
    result = written(pages, path, 3)
    assert [pdfium_text(result, n).strip() for n in (1, 2, 3)] == ["page1", "", "page3"]


@pytest.mark.parametrize("text_layer", ["garbled", "ignored"])
def test_layer_of_an_earlier_run_is_replaced(tmp_path: Path, text_layer: TextLayerUse) -> None:
    path = scan(tmp_path / "scan.pdf")
    once = tmp_path / "once.pdf"
    once.write_bytes(written([drawn_page()], path))
    twice = written([drawn_page(text_layer=text_layer)], once)
    assert pdfium_text(twice).count(FIRST_WORDS) == 1
    assert poppler_text(twice, tmp_path).count(FIRST_WORDS) == 1
    assert [word[0] for word in plumber_words(twice)] == [word.text for word in drawn_page().words]
    assert same_look(path.read_bytes(), twice)


@pytest.mark.parametrize("text_layer", ["garbled", "ignored"])
def test_invisible_text_in_a_form_is_replaced_on_its_page_alone(tmp_path: Path, text_layer: TextLayerUse) -> None:
    old = b"q BT 3 Tr /F1 20 Tf 100 200 Td (oldword) Tj ET Q 0.5 g 300 300 50 50 re f"
    path = typed_pdf(tmp_path / "form.pdf", b"q /Old Do Q", forms={"/Old": old})
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages.append(pdf.pages[0])
        pdf.save(path)
    result = written([typed_page({"newword": (100, 200)}, text_layer)], path, 2)
    assert pdfium_text(result).split() == ["newword"]
    assert pdfium_text(result, 2).split() == ["oldword"]
    assert same_look(path.read_bytes(), result)


def test_visible_text_is_not_doubled_where_every_page_is_read_from_its_pixels(tmp_path: Path) -> None:
    path = typed_pdf(tmp_path / "typed.pdf", b"BT /F1 20 Tf 100 200 Td (Visible) Tj ET")
    result = written([typed_page({"Visib1e": (90, 198), "stamp": (300, 100)}, "ignored")], path)
    assert sorted(pdfium_text(result).split()) == ["Visible", "stamp"]
    assert same_look(path.read_bytes(), result)


@pytest.mark.parametrize(
    "content",
    [
        b"BT /F1 20 Tf 100 200 Td (Covered) Tj ET 0.5 g 50 150 400 100 re f",
        b"BT /F1 20 Tf 100 200 Td (Covered) Tj ET q 400 0 0 100 50 150 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x80 EI Q",
        b"/Old Do 0.5 g 50 150 400 100 re f",
        b"1 g BT /F1 20 Tf 100 200 Td (Covered) Tj ET",
    ],
)
@pytest.mark.parametrize("rotate", [0, 90])
def test_words_are_added_where_the_page_does_not_show_its_text(tmp_path: Path, content: bytes, rotate: int) -> None:
    seen = b" 0 g BT /F1 20 Tf 100 50 Td (Visible) Tj ET"
    forms = {"/Old": b"BT /F1 20 Tf 100 200 Td (Covered) Tj ET"}
    path = typed_pdf(tmp_path / "typed.pdf", content + seen, forms=forms)
    words: dict[str, tuple[float, float]] = {"shown": (100, 200), "Visib1e": (90, 48)}
    page = typed_page(words, "ignored")
    if rotate:
        with pikepdf.open(path, allow_overwriting_input=True) as pdf:
            pdf.pages[0].obj.Rotate = rotate
            pdf.save(path)
        turned = {text: ((y + 20, x), (y + 20, x + 100), (y, x + 100), (y, x)) for text, (x, y) in words.items()}
        page = page_of([line_of([word]) for word in turned.items()], 400, 600, dpi=72, text_layer="ignored")
    result = written([page], path)
    assert sorted(pdfium_text(result).split()) == ["Covered", "Visible", "shown"]
    assert same_look(path.read_bytes(), result)


def test_garbled_visible_text_gives_way_to_what_was_read(tmp_path: Path) -> None:
    path = typed_pdf(tmp_path / "typed.pdf", b"BT /F1 20 Tf 100 200 Td (Xqzvw) Tj ET 1 0 0 rg 0 0 9 9 re f")
    result = written([typed_page({"Visible": (100, 200)}, "garbled")], path)
    assert pdfium_text(result).split() == ["Visible"]
    assert poppler_text(result, tmp_path).split() == ["Visible"]
    assert same_look(path.read_bytes(), result)


def test_page_whose_text_was_used_gains_only_what_its_pictures_say(tmp_path: Path) -> None:
    path = typed_pdf(
        tmp_path / "typed.pdf", b"BT /F1 20 Tf 100 200 Td (Visible) Tj ET BT 3 Tr 100 100 Td (hidden) Tj ET"
    )
    taken = page_of(
        [line_of([("Visible", upright(100, 180, 170, 200))])], 600, 400, text_layer="used", origin="text_layer"
    )
    read = page_of([line_of([("picture", upright(300, 280, 400, 300))])], 600, 400, text_layer="used")
    both = Page(1, 600, 400, 72, ("eng",), "drawn", (), (*taken.blocks, *read.blocks), "used")
    assert sorted(pdfium_text(written([both], path)).split()) == ["Visible", "hidden", "picture"]
    with pikepdf.open(path) as before, pikepdf.open(io.BytesIO(written([taken], path))) as after:
        assert after.pages[0].Contents.read_bytes() == before.pages[0].Contents.read_bytes()


def test_invisible_layer_that_was_taken_at_its_word_is_written_anew_once_it_was_corrected(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf")
    once = tmp_path / "once.pdf"
    once.write_bytes(written([drawn_page()], path))
    drawn = drawn_page(text_layer="used")
    taken = replace(drawn, blocks=tuple(replace(block, origin="text_layer") for block in drawn.blocks))
    assert pdfium_text(written([taken], once)) == pdfium_text(once.read_bytes())
    mended = corrected(taken, [WordsCorrection(0, 1, "Corrected"), WordsCorrection(1, 1, "")])
    expected = ["Corrected", *(word.text for word in drawn.words[2:])]
    result = written([mended], once)
    assert pdfium_text(result).split() == poppler_text(result, tmp_path).split() == expected
    assert same_look(path.read_bytes(), result)


def test_correction_of_text_that_a_page_shows_leaves_what_is_shown(tmp_path: Path) -> None:
    path = typed_pdf(
        tmp_path / "typed.pdf", b"BT /F1 20 Tf 100 200 Td (Visible) Tj ET BT 3 Tr 100 100 Td (hidden) Tj ET"
    )
    shown, hidden = ("Visible", upright(100, 180, 170, 200)), ("hidden", upright(100, 280, 170, 300))
    taken = page_of([line_of([shown]), line_of([hidden])], 600, 400, dpi=72, text_layer="used", origin="text_layer")
    mended = corrected(taken, [WordsCorrection(0, 1, "Visual"), WordsCorrection(1, 1, "found")])
    result = written([mended], path)
    assert sorted(pdfium_text(result).split()) == ["Visible", "found"]
    assert same_look(path.read_bytes(), result)


@pytest.mark.parametrize("user", ["", "lock me"])
def test_encrypted_pdf_stays_encrypted_with_the_same_passwords(tmp_path: Path, user: str) -> None:
    path = scan(tmp_path / "scan.pdf")
    plain = path.read_bytes()
    allow = pikepdf.Permissions(extract=False, modify_form=False)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=Encryption(owner="owner's", user=user, allow=allow))
    result = written([drawn_page()], path, password=user or None)
    assert FIRST_WORDS in pdfium_text(result, password=user or None)
    for password in (user, "owner's"):
        with pikepdf.open(io.BytesIO(result), password=password) as pdf:
            assert pdf.is_encrypted
            assert not pdf.allow.extract
            assert pdf.allow.print_highres
    if user:
        with pytest.raises(pikepdf.PasswordError):
            pikepdf.open(io.BytesIO(result))
    assert (rendered(result, password=user or None)[0] == rendered(plain)[0]).all()


def test_pdf_without_its_password_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=Encryption(owner="o", user="u"))
    with pytest.raises(DocumentEncrypted, match="password"):
        written([drawn_page()], path)


def test_page_that_the_file_does_not_have_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentDamaged, match="Page 2 "):
        written([drawn_page(2)], scan(tmp_path / "scan.pdf"), 2)


def test_file_that_is_no_pdf_behind_its_header_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing")
    with pytest.raises(DocumentDamaged):
        written([drawn_page()], path)


def signed_pdf(path: Path) -> Path:
    typed_pdf(path, b"BT /F1 20 Tf 100 200 Td (Contract) Tj ET")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        look = pdf.make_stream(
            b"0 0 1 rg 0 0 100 40 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 100, 40])
        )
        signature = Dictionary(Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), Contents=String(b"\x00" * 64))
        field = pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Sig,
                T=String("Signature"),
                Rect=Array([300, 50, 400, 90]),
                V=pdf.make_indirect(signature),
                AP=Dictionary(N=look),
                F=4,
                P=pdf.pages[0].obj,
            )
        )
        pdf.pages[0].obj.Annots = Array([field])
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)
        pdf.Root.Perms = Dictionary(DocMDP=signature)
        pdf.save(path)
    return path


def test_signature_ends_and_leaves_its_look(tmp_path: Path) -> None:
    path = signed_pdf(tmp_path / "signed.pdf")
    result = written([typed_page({"more": (100, 300)}, "none")], path)
    assert same_look(path.read_bytes(), result)
    with pikepdf.open(io.BytesIO(result)) as pdf:
        field = pdf.Root.AcroForm.Fields[0]
        assert Name.V not in field
        assert Name.AP in field
        assert Name.SigFlags not in pdf.Root.AcroForm
        assert Name.Perms not in pdf.Root


def test_signature_of_a_field_whose_widget_is_its_kid_ends(tmp_path: Path) -> None:
    path = typed_pdf(tmp_path / "signed.pdf", b"")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        group = pdf.make_indirect(Dictionary(T=String("group"), FT=Name.Sig))
        field = pdf.make_indirect(
            Dictionary(T=String("Signature"), Parent=group, V=Dictionary(Type=Name.Sig, Contents=String(b"\x00" * 8)))
        )
        widget = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=Array([0, 0, 9, 9]), F=4))
        widget.Parent = field
        field.Kids, group.Kids = (
            Array([widget]),
            Array([group, group, field]),
        )  # that it holds itself must not hang anything
        text = pdf.make_indirect(Dictionary(T=String("Name"), FT=Name.Tx, V=String("Smith")))
        pdf.pages[0].obj.Annots = Array([widget])
        pdf.Root.AcroForm = Dictionary(Fields=Array([group, text]), SigFlags=3)
        pdf.save(path)
    with pikepdf.open(io.BytesIO(written([], path))) as pdf:
        fields = pdf.Root.AcroForm.Fields
        assert Name.V not in fields[0].Kids[0]
        assert str(fields[1].V) == "Smith"


@pytest.mark.parametrize("has_form", [True, False])
def test_signature_that_no_form_names_ends(tmp_path: Path, has_form: bool) -> None:
    path = typed_pdf(tmp_path / "signed.pdf", b"")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        field = pdf.make_indirect(Dictionary(T=String("Signature"), FT=Name.Sig, V=Dictionary(Type=Name.Sig)))
        widget = Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=Array([0, 0, 9, 9]), F=4, Parent=field)
        whole = Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=Array([0, 0, 9, 9]), F=4, FT=Name.Sig)
        whole.V = Dictionary(Type=Name.DocTimeStamp)
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(widget), pdf.make_indirect(whole)])
        if has_form:
            pdf.Root.AcroForm = Dictionary(Fields=Array([]), SigFlags=3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pikepdf.PageCopyWarning)
            pdf.save(path)
    with pikepdf.open(io.BytesIO(written([], path))) as pdf:
        one, other = pdf.pages[0].obj.Annots
        assert Name.V not in one.Parent
        assert Name.V not in other


def test_pdf_whose_end_is_cut_off_is_written_whole(tmp_path: Path) -> None:
    path = scan(tmp_path / "scan.pdf")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\nxref")])
    with pikepdf.open(path) as pdf:
        assert Name.Size not in pdf.trailer
    result = written([drawn_page()], path)
    with pikepdf.open(io.BytesIO(result), attempt_recovery=False) as pdf:
        assert int(pdf.trailer.Size) > len(pdf.objects) > 1
        assert not pdf.get_warnings()
    assert FIRST_WORDS in pdfium_text(result)


def test_provenance_says_how_the_text_came_about(tmp_path: Path) -> None:
    result = written([drawn_page()], scan(tmp_path / "scan.pdf", 2), 2)
    with pikepdf.open(io.BytesIO(result)) as pdf, pdf.open_metadata() as metadata:
        said = {key.removeprefix(f"{{{NAMESPACE}}}"): metadata[key] for key in metadata if NAMESPACE in key}
    assert said["Generator"] == "Recto 1.2.3"
    assert said["Created"] == CREATED
    assert said["PagesRead"] == "1 of 2"
    assert '"mode": "auto"' in said["Options"]
    assert said["Engine"] == {"drawn 1.0 (1 page)"}
    assert said["Traineddata"] == {f"eng sha256:{'ab' * 32} (1 page)"}
    assert "Preprocessing" not in said


@pytest.mark.parametrize(
    "metadata",
    [
        {"data": b"<not xml"},
        {"data": b"\x00\xff\xfe"},
        {"data": b"not packed", "Filter": Name.FlateDecode},
        {"data": b"packed how?", "Filter": Name.NoSuchFilter},
        {"data": None},
    ],
)
def test_pdf_whose_metadata_cannot_be_read_is_written_all_the_same(tmp_path: Path, metadata: dict[str, Any]) -> None:
    path = scan(tmp_path / "scan.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        data, entries = metadata["data"], {key: value for key, value in metadata.items() if key != "data"}
        stated = {"Type": Name.Metadata, "Subtype": Name.XML, **entries}
        pdf.Root.Metadata = pdf.make_stream(data, **stated) if isinstance(data, bytes) else Dictionary(**stated)
        pdf.save(path, stream_decode_level=pikepdf.StreamDecodeLevel.none, fix_metadata_version=False)
    result = written([drawn_page()], path)
    assert FIRST_WORDS in pdfium_text(result)
    with pikepdf.open(io.BytesIO(result)) as pdf, pdf.open_metadata() as told:
        assert told[f"{{{NAMESPACE}}}Generator"] == "Recto 1.2.3"


def test_duplicate_page_objects_become_pages_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "twice.pdf"
    with Pdf.new() as pdf:
        pdf.add_blank_page(page_size=(600, 400))
        pdf.Root.Pages.Kids.append(pdf.Root.Pages.Kids[0])
        pdf.Root.Pages.Count = 2
        pdf.save(path)
    result = written([typed_page({"first": (100, 200)}, "none")], path, 2)
    assert [pdfium_text(result, number).strip() for number in (1, 2)] == ["first", ""]


def test_pdf_that_only_opens_when_it_is_repaired_is_read_anew_without_doubling_its_text(tmp_path: Path) -> None:
    path = typed_pdf(tmp_path / "typed.pdf", b"BT /F1 20 Tf 100 300 Td (Visible) Tj ET")
    path.write_bytes(b"x" * 1030 + path.read_bytes())
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(path)
    page = typed_page({"Visible": (100, 300)}, "ignored")
    pdf = written([page], path)
    assert pdfium_text(pdf).split() == ["Visible"]
