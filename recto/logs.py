"""Structured logging: every line is an event with named values, as text for people or as JSON for machines.

Everything goes to standard error; standard output belongs to results. No document text, password or token is ever logged.
"""

import logging
import sys
from typing import Final, Literal

import structlog
from structlog.typing import FilteringBoundLogger

_TELL_KEYS: Final = ("authlib", "boto3", "botocore", "urllib3")
"""At level debug they write down whole requests: signatures, the queries of signed links, which are keys, and what proves that a sign-in is the one
that was begun."""
LogFormat = Literal["text", "json"]


def configure_logging(level: str, log_format: LogFormat) -> None:
    """Set up structlog, and send the standard library's loggers (alembic, gevent, werkzeug) through the same renderer."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=34,
            # Where Rich is installed, the default shows local variables: passwords and texts among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    final: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    if log_format == "json":
        final.insert(1, structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),  # what is below the level costs nothing
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=final))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in _TELL_KEYS:
        logging.getLogger(name).setLevel(logging.WARNING)


def get_logger(name: str) -> FilteringBoundLogger:
    """Logger of a module: get_logger(__name__)."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger
