"""Logs of a process: one line an event, to standard error, which the supervisor keeps in `logs/NAME.log`; never with personal data."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

from haitang.base.redaction import Redacting, redacted
from haitang.base.settings import settings

NEVER = frozenset(("password", "secret", "token", "mobile", "email", "resident_id", "id_number", "person_name", "username"))


class Redaction(logging.Filter):
    """On the root's handlers: the message with its arguments, and what an exception says, redacted before anything formats them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
        return True


def without_persons(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog: values under names that are always personal or secret are left out, whatever they look like."""
    return {key: ("<left-out>" if key in NEVER else value) for key, value in event.items()}


def _render(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    return redacted(str(_PLAIN(logger, method, event)))


_PLAIN = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)  # with no local variables


def install() -> None:
    """Make every way out of this process redact: structlog, the standard logging, and what libraries print."""
    sys.stdout, sys.stderr = cast(TextIO, Redacting(sys.stdout)), cast(TextIO, Redacting(sys.stderr))
    level = logging.getLevelName(settings().log_level.upper())
    level = level if isinstance(level, int) else logging.INFO
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s [%(levelname)s] %(name)s: %(message)s"))
    handler.addFilter(Redaction())
    logging.basicConfig(level=max(level, logging.WARNING) if level >= logging.INFO else level, handlers=[handler], force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.dev.set_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            without_persons,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
