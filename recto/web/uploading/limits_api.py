"""What a client should know before it sends anything: the limits of this Recto, and the options that a job may have."""

import json

from flask import Blueprint, Response

from recto.web import answers
from recto.web.openapi.described import Reply, described
from recto.web.openapi.option_schema import options_schema
from recto.web.services import services
from recto.web.serving.database import read
from recto.web.sign_in.authorisation import Access, access
from recto.web.uploading import answers as upload_answers
from recto.workers import installed_languages, list_workers

blueprint = Blueprint("limits", __name__, url_prefix="/api/v1")


@blueprint.get("/limits")
@access(Access.READ_OR_WRITE)
@described(Reply(200, "The limits", (upload_answers.Limits,)), tag="Service")
def get_limits() -> Response:
    """All limits that concern a client: of documents, requests, waiting and reading."""
    return answers.answered(services().published_limits)


@blueprint.get("/options")
@access(Access.READ_OR_WRITE)
@described(Reply(200, "The schema", schema_name="OptionsSchema", json_type="application/schema+json"), tag="Service")
def get_options() -> Response:
    """The options of a job as a JSON Schema (2020-12), with the languages that Workers have, where any was seen."""
    schema = options_schema(installed_languages(read(list_workers)), services().default_languages)
    return Response(json.dumps(schema, ensure_ascii=False) + "\n", mimetype="application/schema+json")
