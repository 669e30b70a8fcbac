"""OpenTelemetry, where the setting `otel_endpoint` names a collector: one span a request in front and control, and durations, by OTLP over HTTP.

Nothing of OpenTelemetry is imported, and no middleware added, where the setting is empty. Spans name routes (`cases/<str:number>`), never addresses as typed, because an
address may hold what somebody searched for.
"""

import re
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haitang.base.settings import settings

_OWN = re.compile(r"[^/]*(?:[0-9%]|[^\x00-\x7f])[^/]*")


def on() -> bool:
    return bool(settings().otel_endpoint)


def start(process: str) -> Callable[[], None]:
    """Send from this process until what is returned is called; does nothing where no collector is set."""
    if not on():
        return lambda: None
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    at = settings().otel_endpoint.rstrip("/")
    about = Resource.create({"service.name": f"haitang-{process}", "service.namespace": "haitang", "service.instance.id": settings().place})
    spans = TracerProvider(resource=about)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{at}/v1/traces", timeout=5)))
    trace.set_tracer_provider(spans)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{at}/v1/metrics", timeout=5), export_interval_millis=15_000)
    meters = MeterProvider(resource=about, metric_readers=[reader])
    metrics.set_meter_provider(meters)

    def stop() -> None:
        spans.shutdown()
        meters.shutdown()

    return stop


def route_of(path: str) -> str:
    """An address without what is particular to one request: `/cases/990101-2026-000001` is `/cases/{}`."""
    return _OWN.sub("{}", path)[:120]


class Traced:
    """ASGI: a span and a duration a request; what comes after is told its trace (W3C Trace Context)."""

    def __init__(self, app: ASGIApp) -> None:
        from opentelemetry import metrics, trace

        self._app, self._tracer = app, trace.get_tracer("haitang.front")
        self._seconds = metrics.get_meter("haitang.front").create_histogram("http.server.request.duration", unit="s")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        import time

        from opentelemetry.propagate import extract, inject
        from opentelemetry.trace import SpanKind

        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        route, began, status = route_of(scope["path"]), time.perf_counter(), 500
        with self._tracer.start_as_current_span(f"{scope['method']} {route}", context=extract(given), kind=SpanKind.SERVER) as span:
            carrier: dict[str, str] = {}
            inject(carrier)
            kept = [(name, value) for name, value in scope["headers"] if name.lower() not in (b"traceparent", b"tracestate")]

            async def told(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await self._app({**scope, "headers": [*kept, *((k.encode(), v.encode()) for k, v in carrier.items())]}, receive, told)
            finally:
                about = {"http.request.method": scope["method"], "http.route": route, "http.response.status_code": status}
                span.set_attributes(about)
                self._seconds.record(time.perf_counter() - began, about)


class TracedControl:
    """Django's middleware: the same of control, under the route's own name."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        from opentelemetry import trace

        self._answer, self._tracer = answer, trace.get_tracer("haitang.control")

    def __call__(self, request: Any) -> Any:
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        given = {name.lower(): value for name, value in request.headers.items()}
        with self._tracer.start_as_current_span(request.method, context=extract(given), kind=SpanKind.SERVER) as span:
            answer = self._answer(request)
            route = getattr(request.resolver_match, "route", "") or "?"
            span.update_name(f"{request.method} {route}")
            span.set_attributes(
                {"http.request.method": request.method, "http.route": route, "http.response.status_code": answer.status_code}
            )
            return answer
