"""An OpenTelemetry collector that takes spans by OTLP/HTTP in JSON and reads them with the protocol's own
classes, which refuse what the protocol does not know."""

import base64
import json

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .clock import until
from .upstream import Upstream, json_reply


def in_base64(value):
    """OTLP writes ids in hexadecimal, the JSON form of protobuf in base64."""
    if isinstance(value, dict):
        ids = ("traceId", "spanId", "parentSpanId")
        return {
            k: base64.b64encode(bytes.fromhex(v)).decode() if k in ids else in_base64(v) for k, v in value.items()
        }
    return [in_base64(v) for v in value] if isinstance(value, list) else value


def plain(value):
    return getattr(value, value.WhichOneof("value"))


class Span:
    def __init__(self, span, resource):
        self.name, self.kind = span.name, span.kind
        self.trace, self.id, self.parent = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        self.begun, self.ended = span.start_time_unix_nano, span.end_time_unix_nano
        self.is_error = span.status.code == 2
        self.is_remote = bool(span.flags & 0x200)
        self.attributes = {a.key: plain(a.value) for a in span.attributes}
        self.resource = resource
        assert len(span.trace_id) == 16 and len(span.span_id) == 8 and len(span.parent_span_id) in (0, 8)
        assert 0 < self.begun <= self.ended

    def __repr__(self):
        return f"{self.name} {self.attributes}"


class Collector(Upstream):
    def __init__(self):
        super().__init__()
        self.reset()

    def reset(self):
        super().reset()
        self.answer = lambda request: json_reply({})

    def close(self):
        super().close()
        assert not self.faults, self.faults

    def spans(self):
        found = []
        for request in self.requests:
            assert (request.method, request.target) == ("POST", "/v1/traces")
            assert request.field("Content-Type") == "application/json"
            message = ExportTraceServiceRequest()
            json_format.ParseDict(in_base64(json.loads(request.body)), message)
            for of_resource in message.resource_spans:
                resource = {a.key: plain(a.value) for a in of_resource.resource.attributes}
                for scope in of_resource.scope_spans:
                    assert scope.scope.name == "recalld"
                    found += [Span(span, resource) for span in scope.spans]
        return found

    def wait_spans(self, holds, timeout=60):
        """Until `holds(spans)`."""
        until(lambda: holds(self.spans()), lambda: f"these spans came: {self.spans()}", timeout)
        return self.spans()

    def wait_trace(self, trace):
        """The spans of one trace by their names, once its exchange is among them: they come together."""
        spans = self.wait_spans(lambda all: any(s.trace == trace for s in all))
        return {s.name: s for s in spans if s.trace == trace}
