"""What a request asks for beside its document: options of the reading, and those that say nothing of how it is read."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from flask import request
from werkzeug.datastructures import MultiDict

from recto.errors import LanguageUnknown, OptionInvalid
from recto.ocr.options import AUTO_LANGUAGE, Options, parse_options
from recto.records.job_details import parse_tags
from recto.records.retention import parse_retention
from recto.web.services import services
from recto.web.webhooks.urls import check_webhook_url

FIELD: Final = "document"
DEDUPE: Final = "dedupe"
WEBHOOK: Final = "webhook"
DOCUMENT_URL: Final = "document_url"
UPLOAD: Final = "upload"
NAME_PARAMETER: Final = "filename"
_TAG: Final = "tag"
_RETENTION: Final = "retention"
_NOT_ABOUT_READING: Final = (NAME_PARAMETER, DEDUPE, WEBHOOK, DOCUMENT_URL, UPLOAD, _TAG, _RETENTION)
_FORMS: Final = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})


def given_options(formats: str = "", others: Collection[str] = ()) -> Options:
    """The options beside the document: form fields and query parameters, checked, with this Recto's default languages.

    It has those `formats` where the request names none; `others` are names in the query that are no options.
    """
    fields = request.form if is_form() else MultiDict()
    defaults = {"languages": services().default_languages} | ({"formats": formats} if formats else {})
    options = _options(defaults, fields, {*_NOT_ABOUT_READING, *others}, (FIELD,))
    _check_languages(options)
    return options


def changed_options(earlier: Options, others_in_form: Collection[str] = ()) -> Options:
    """The options of an earlier job with those in their place that the request gives, in a form or in its query.

    `others_in_form` are names that may stand in the form beside them.
    """
    if request.mimetype not in _FORMS and request.stream.read(1):
        raise OptionInvalid("Send the options as a form, or in the query: curl -d mode=force …")
    options = _options(earlier.stored(), request.form, (WEBHOOK,), others_in_form)
    _check_languages(options)
    return options


def _options(
    base: dict[str, Any],
    fields: MultiDict[str, str],
    others: Collection[str] = (),
    others_in_form: Collection[str] = (),
) -> Options:
    """`others` are names that may stand there, those and `others_in_form` in a form, and are no options of the reading."""
    if "password" in request.args:
        raise OptionInvalid(
            "A password in an address ends up in logs. Send it as a form field: curl -F password=… -F document=@…"
        )
    in_query = _given(request.args, others)
    options = parse_options(base | in_query)  # also where the form says otherwise: what is wrong is not passed over
    return (
        parse_options(base | in_query | _given(fields, {*others, *others_in_form, "csrf_token"})) if fields else options
    )


def _given(values: MultiDict[str, str], others: Collection[str]) -> dict[str, Any]:
    """An empty value is as one that is left out."""
    joined = {name: "+".join(given) for name, given in values.lists() if name not in others}
    return {name: value for name, value in joined.items() if value}


def may_be_answered_from_earlier() -> bool:
    """The option `dedupe` beside the document: whether the result of an earlier job may answer. OptionInvalid where it is no yes or no."""
    given = [request.args.get(DEDUPE), request.form.get(DEDUPE) if is_form() else None]
    for value in filter(None, given):
        if value not in ("true", "false"):
            raise OptionInvalid(f"Option '{DEDUPE}': '{value}' is none of true, false.")
    return next(filter(None, reversed(given)), "true") == "true"


def beside_document(name: str) -> str | None:
    """What the form has beside the document, or else the query; None where it is empty or missing."""
    in_form = request.form.get(name) if is_form() else None
    return in_form or request.args.get(name) or None


def given_tags() -> tuple[str, ...]:
    """The tags beside the document: those of the form and those of the query. OptionInvalid."""
    return parse_tags([*request.args.getlist(_TAG), *(request.form.getlist(_TAG) if is_form() else ())])


def given_retention_s() -> int | None:
    """The option `retention` beside the document, in seconds; the form's counts. OptionInvalid."""
    given = [request.form.get(_RETENTION) if is_form() else None, request.args.get(_RETENTION)]
    wanted = [parse_retention(value) for value in given if value]
    return wanted[0] if wanted else None


def given_webhook(options_form: Mapping[str, str] | None = None) -> str | None:
    """The option `webhook`: where to tell of the job's end. It stands in the query, beside the document, or in a form that has options alone.

    AddressRefused, OptionInvalid.
    """
    form = options_form if options_form is not None else request.form if is_form() else {}
    given = [request.args.get(WEBHOOK), form.get(WEBHOOK)]
    url = next(filter(None, reversed(given)), None)
    if url is not None:
        check_webhook_url(url)
    return url


def decided_by(options: Options, webhook_url: str | None) -> dict[str, Any]:
    """What a request asks for beside the document, for the fingerprint of its Idempotency-Key."""
    return options.stored() | ({WEBHOOK: webhook_url} if webhook_url else {})


def is_form() -> bool:
    """Only multipart carries files. `curl --data-binary` calls a raw body application/x-www-form-urlencoded."""
    return request.mimetype == "multipart/form-data" and NAME_PARAMETER not in request.args


def _check_languages(options: Options) -> None:
    """LanguageUnknown where Workers were seen and none has the language. Before any was seen, the job's own run decides."""
    wanted = [language for language in options.languages if language != AUTO_LANGUAGE]
    installed = services().known_languages.lack(wanted)
    if installed is not None:
        missing = next(language for language in wanted if language not in installed)
        raise LanguageUnknown(
            f"Language '{missing}' is not installed. Installed are: {', '.join(installed)}. "
            "docs/languages.md says how to add one.",
            installed=list(installed),
        )
