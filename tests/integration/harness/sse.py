"""Server-sent events, read as a client without an SDK would."""

import json


def events_of(body):
    """The JSON of each event."""
    text = body.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    found = [line[5:].strip() for line in text.split("\n") if line.startswith("data:")]
    return [json.loads(data) for data in found if data not in ("", "[DONE]")]
