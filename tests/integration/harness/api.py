"""The admin API in three places: the daemon's table of routes, conf/openapi.yaml and recalld-api(7)."""

import copy
import re

import yaml

from harness.daemon import ROOT

DOCUMENT = yaml.safe_load((ROOT / "conf/openapi.yaml").read_text())


def routes():
    """{(method, path with "{}"): its query parameters, or None if it ignores them}"""
    text = (ROOT / "proxy/admin/routes.c").read_text()
    for name, value in re.findall(r'^#define (\w+) (".*")$', text, re.M):
        text = re.sub(rf"\b{name}\b", value, text)
    table = " ".join(text.split("admin_routes[] = {")[1].split("};")[0].split()).replace('" "', "")
    row = r'(?:ROUTE|UNRECORDED)\("(\w+)", "([^"]+)", \w+, (?:"\w+", "\w+", )?\w+, (?:NULL|"([^"]*)")\),'
    found = {(m[1], m[2]): None if m[3] is None else {"tenant", *m[3].split()} for m in re.finditer(row, table)}
    assert len(found) == len(re.findall(r"\b(?:ROUTE|UNRECORDED)\(", table)), "a row of another form"
    return found


def operations(document=DOCUMENT):
    """{(method, path with "{}"): (the path's item, the operation)}"""
    return {
        (method.upper(), re.sub(r"{\w+}", "{}", path)): (item, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def resolve(element, document=DOCUMENT):
    while "$ref" in element:
        target = document
        for name in element["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        element = target
    return element


def examples():
    """{(method, path with "{}"): the shell command of recalld-api(7), None if it has none}"""
    page = (ROOT / "conf/man/recalld-api.7").read_text()
    found = {}
    for item in re.split(r"^\.It Ic (?=[A-Z]+ /)", page, flags=re.M)[1:]:
        method, path = item.split("\n", 1)[0].split(" ")
        literal = re.search(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", item, re.M | re.S)
        command = literal and literal[1].replace("\\-", "-").replace("\\e", "\\")
        found[method, re.sub(r"/[A-Z]+\b", "/{}", path)] = command
    return found


def _close(schema, document, seen):
    schema = resolve(schema, document)
    if id(schema) in seen:
        return
    seen.add(id(schema))
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
    for inner in schema.get("properties", {}).values():
        _close(inner, document, seen)
    for inner in [schema["items"]] if "items" in schema else []:
        _close(inner, document, seen)
    for inner in schema.get("oneOf", []) + schema.get("anyOf", []):
        _close(inner, document, seen)


def closed():
    """The document with answers that may hold no other members. To clients it leaves that open."""
    document, seen = copy.deepcopy(DOCUMENT), set()
    for _, operation in operations(document).values():
        for response in operation["responses"].values():
            for content in resolve(response, document)["content"].values():
                _close(content["schema"], document, seen)
    return document
