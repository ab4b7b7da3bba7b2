"""Checks that `deploykit-specs drift` reports each change that other tools call breaking.

    drift.py DEPLOYKIT_SPECS FOLDER

edits copies of two specs of ours, and of the vendors' documents in DEPLOYKIT_VENDOR_DOCUMENTS if it is set. Each edit
is made at the first place where it is possible. A change that another tool calls breaking must be in our report with
the same operation and place, as breaking or for a reason that is listed here.
"""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copyfile, rmtree

import yaml
from breakwatch.classifier import Severity, classify
from breakwatch.diff import diff_specs
from breakwatch.loader import SpecLoadError, load_spec
from schema_diff.openapi.diff import diff_openapi

METHODS = {"get", "post", "put", "patch", "delete"}

# Why our report does not call a change breaking: pattern of the other tool's message, places in our report, the reason.
REASONS = [
    ("[Ss]tatus", r"[45]\d\d", "failures are decoded field by field"),
    ("[Rr]emoved", r"2\d\d .*", "our spec does not require the field"),
    ("became required", r"2\d\d .*", "a field that is always there is decoded"),
    ("[Tt]ype changed", r"2\d\d .*", "numbers are decoded as text, and text as numbers"),
    (".*", r"[45]\d\d .*", "failures are decoded field by field"),
]


class Document:
    """A document that is edited in place."""

    def __init__(self, json_document):
        self.json = copy.deepcopy(json_document)
        # Operations that were edited, so that each edit has its own.
        self.edited = set()

    def resolve(self, value):
        while "$ref" in value:
            target = self.json
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            value = target
        return value

    def operations(self):
        for path, item in self.json["paths"].items():
            for method, operation in item.items():
                if method in METHODS and (path, method) not in self.edited:
                    yield (path, method), operation

    def schema(self, part):
        content = self.resolve(part).get("content", {}).get("application/json", {})
        return self.resolve(content.get("schema", {}))

    def replies(self, operation):
        for status, reply in operation["responses"].items():
            if status.startswith("2"):
                yield from self.objects(self.schema(reply))

    def requests(self, operation):
        yield from self.objects(self.schema(operation.get("requestBody", {})))

    def objects(self, schema, depth=0):
        """The schema and the objects in it."""
        if schema.get("properties"):
            yield schema
        for part in [*schema.get("properties", {}).values(), schema.get("items")]:
            if part and depth < 6:
                yield from self.objects(self.resolve(part), depth + 1)

    def parameters(self, operation):
        for parameter in operation.get("parameters", []):
            if self.resolve(parameter).get("in") == "query":
                yield parameter

    def edit(self, edit):
        for key, operation in list(self.operations()):
            if edit(self, operation):
                self.edited.add(key)
                return True
        return False


def without_status(document, operation):
    return operation["responses"].pop("404", None) is not None


def without_parameter(document, operation):
    for parameter in document.parameters(operation):
        operation["parameters"].remove(parameter)
        return True


def required_parameter(document, operation):
    for parameter in document.parameters(operation):
        if not document.resolve(parameter).get("required"):
            at = operation["parameters"].index(parameter)
            operation["parameters"][at] = {**document.resolve(parameter), "required": True}
            return True


def new_required_parameter(document, operation):
    if operation.get("parameters"):
        operation["parameters"].append({"name": "edited", "in": "query", "required": True, "schema": {"type": "string"}})
        return True


def new_required_field(document, operation):
    for schema in document.requests(operation):
        schema["properties"]["edited"] = {"type": "string"}
        schema.setdefault("required", []).append("edited")
        return True


def field(get, is_required, change):
    """An edit of the first field of a body that is required or not."""

    def edit(document, operation):
        for schema in get(document, operation):
            required = schema.get("required", [])
            for name, value in schema["properties"].items():
                if (name in required) == is_required and change(schema, name, document.resolve(value)):
                    return True

    return edit


def remove(schema, name, value):
    del schema["properties"][name]
    required = [other for other in schema.pop("required", []) if other != name]
    if required:
        schema["required"] = required
    return True


def require(schema, name, value):
    schema.setdefault("required", []).append(name)
    return True


def retype(old, new):
    def change(schema, name, value):
        if value.get("type") == old:
            schema["properties"][name] = {"type": new}
            return True

    return change


EDITS = [
    without_status,
    without_parameter,
    required_parameter,
    new_required_parameter,
    new_required_field,
    field(Document.requests, False, require),
    field(Document.requests, True, remove),
    field(Document.requests, True, retype("string", "integer")),
    field(Document.replies, True, remove),
    field(Document.replies, False, remove),
    field(Document.replies, False, require),
    field(Document.replies, True, retype("string", "object")),
    field(Document.replies, False, retype("integer", "string")),
]


def edited(original):
    document = Document(original)
    applied = sum(document.edit(edit) for edit in EDITS)
    # The last operation is gone, unless each has another edit.
    for (path, method), _ in list(document.operations())[-1:]:
        del document.json["paths"][path][method]
        applied += 1
    return document.json, applied


def ours(program, folder, api, original, new):
    """Our report: the class of each change by operation and place."""
    rmtree(folder, ignore_errors=True)
    for file in [f"specs/{api}.yaml", f"src/{api}/operations.rs"]:
        (folder / file).parent.mkdir(parents=True)
        copyfile(file, folder / file)

    def drift(document, *options):
        (folder / "document.json").write_text(json.dumps(document, default=str), encoding="utf-8")
        command = [program, "drift", "document.json", "--api", api, "--json", *options]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    # The first outline is that of the original.
    drift(original, "--accept")
    if drift(original):
        raise RuntimeError("our report of an unchanged document is not empty")
    return {(change["operation"], change["place"]): change["class"] for change in drift(new)}


def by_breakwatch(folder, original, new):
    """The breaking changes as operation, place and message."""
    loaded = []
    for name, document in [("old", original), ("new", new)]:
        file = folder / f"{name}.json"
        file.write_text(json.dumps(document, default=str), encoding="utf-8")
        loaded.append(load_spec(file))
    found = []
    for item in classify(diff_specs(*loaded)):
        if item.severity != Severity.BREAKING:
            continue
        change = item.change
        place = {"request": "request", "response": change.detail.get("status_code")}.get(change.detail.get("context"))
        place = f"{place} {change.field}" if place else change.field or ""
        found.append((change.path, place, item.message))
    return found


def by_api_schema_diff(folder, original, new):
    found = []
    for change in diff_openapi(original, new).breaking:
        if whole := re.fullmatch(r"paths\.(.+)\.(\w+)", change.path):
            operation, place = f"{whole[2].upper()} {whole[1]}", ""
        elif whole := re.fullmatch(r"paths\.(.+)", change.path):
            methods = [method for method in original["paths"][whole[1]] if method in METHODS]
            found += [(f"{method.upper()} {whole[1]}", "", change.message) for method in methods]
            continue
        else:
            operation, place = re.fullmatch(
                r"operations\.(.+?)\.((?:parameters|requestBody|responses)\..+)", change.path
            ).groups()
            place = place.replace(".properties.", ".").replace(".items", "[]").replace(".required.", ".")
            place = place.replace("requestBody.schema", "request").removeprefix("responses.").removeprefix("parameters.")
            place = re.sub(r"^(\w+)\.(?:schema\.?)?", r"\1 ", place).strip()
            place = re.sub(r"^((?:query|path|header) [^.]+)\..*", r"\1", place)
        found.append((operation, place, change.message))
    return found


def reason_for(message, place):
    for pattern, places, reason in REASONS:
        if re.search(pattern, message) and re.fullmatch(places, place):
            return reason
    return None


def check(program, run, name, api, original, is_ours):
    """Prints a line for each tool. Returns whether all checks hold."""
    new, applied = edited(original)
    report = ours(program, run / name, api, original, new)
    good = True
    for tool, breaking in [("breakwatch", by_breakwatch), ("api-schema-diff", by_api_schema_diff)]:
        label = f"drift {name}: {tool}"
        try:
            theirs = breaking(run / name, original, new)
        except SpecLoadError as error:
            reason = " ".join(str(error).split())[:120]
            print(f"{'FAILED' if is_ours else 'ok'} {label} cannot read the document: {reason}")
            good &= not is_ours
            continue
        agreed, reasons, problems = 0, 0, []
        for operation, place, message in theirs:
            found = report.get((operation, place))
            if found and found.startswith("breaks-"):
                agreed += 1
            elif found and reason_for(message, place):
                reasons += 1
            else:
                problems.append(f"{operation} {place}: {message}; ours: {found or 'no change'}")
        if not agreed:
            problems.append(f"no breaking change of {applied} edits is in both reports")
        print("\n  ".join([f"FAILED {label}", *problems]) if problems else
              f"ok {label}: {agreed} breaking changes in both reports, {reasons} not breaking here for a reason")
        good &= not problems
    return good


def main():
    program, run = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    documents = [(api, api, Path(f"specs/{api}.yaml"), True) for api in ["edgegap", "nodion"]]
    if vendors := os.environ.get("DEPLOYKIT_VENDOR_DOCUMENTS"):
        documents.append(("edgegap-document", "edgegap", Path(vendors) / "edgegap.yaml", False))
    good = True
    for name, api, file, is_ours in documents:
        good &= check(program, run, name, api, yaml.safe_load(file.read_text(encoding="utf-8")), is_ours)
    sys.exit(0 if good else 1)


main()
