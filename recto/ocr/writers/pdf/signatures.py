"""Signatures end where a file is changed."""

from collections.abc import Iterable, Iterator

from pikepdf import Array, Dictionary, Name, Object, Pdf


def end_signatures(pdf: Pdf) -> None:
    """Removes the values of signature fields, and what they permit and forbid. The fields and their appearance stay.

    A value that no longer fits the file would be reported as a broken signature, as if somebody had tampered with it.
    """
    form = pdf.Root.get(Name.AcroForm)
    fields = form.get(Name.Fields) if isinstance(form, Dictionary) else None
    for field in (*_of_form(_dictionaries(fields)), *_of_widgets(pdf)):
        if Name.V in field:
            del field[Name.V]
    for holder, key in ((form, Name.SigFlags), (pdf.Root, Name.Perms)):
        if isinstance(holder, Dictionary) and key in holder:
            del holder[key]


def _of_form(fields: Iterable[Object]) -> Iterator[Object]:
    """The signature fields among these and those below them, which take their type from above (ISO 32000-1, 12.7.3)."""
    waiting: list[tuple[Object, Object | None]] = [(field, None) for field in fields]
    met: set[tuple[int, int]] = set()
    while waiting:
        field, inherited = waiting.pop()
        if field.is_indirect and field.objgen in met:
            continue  # fields that hold each other
        met.add(field.objgen)
        kind = field.get(Name.FT, inherited)
        if kind == Name.Sig:
            yield field
        waiting += [(kid, kind) for kid in _dictionaries(field.get(Name.Kids))]


def _of_widgets(pdf: Pdf) -> Iterator[Object]:
    """Signature fields that are seen on a page, or stand above what is: the form need not name them."""
    for page in pdf.pages:
        for annotation in _dictionaries(page.obj.get(Name.Annots)):
            chain = _with_parents(annotation)
            for index, field in enumerate(chain):
                kinds = [above[Name.FT] for above in chain[index:] if Name.FT in above]
                if kinds and kinds[0] == Name.Sig:
                    yield field


def _with_parents(field: Object) -> list[Object]:
    chain, met = [field], {field.objgen}
    while isinstance(parent := chain[-1].get(Name.Parent), Dictionary) and parent.objgen not in met:
        chain.append(parent)
        met.add(parent.objgen)
    return chain


def _dictionaries(value: Object | None) -> Iterator[Object]:
    return (item for item in value if isinstance(item, Dictionary)) if isinstance(value, Array) else iter(())
