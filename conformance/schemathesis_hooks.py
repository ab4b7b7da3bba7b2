"""Hooks that give schemathesis existing ids, and ignore correct refusals.

Most generated ids are replaced by existing ones from the spec's links. Some refusals are correct although the
request matches its schema: they depend on the platform's state. A failure is ignored only if operation,
status and message match a row of `REFUSALS`; `conformance/schemathesis_report.py` counts ignored failures.
`conformance/schemathesis.toml` disables checks for whole operations or platforms.
"""

import copy
import json
import os
import random
import re
from collections import Counter, defaultdict, deque
from urllib.parse import quote, unquote

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine.run.stateful import _executor
from schemathesis.generation.overrides import store_components

# Columns: run or a prefix of its name, operation (None for all), status, pattern for the body, reason.
REFUSALS = [
    # The reference has this 400 for unknown applications; Nexlayer/docs:data/openapi.json also for unknown sessions.
    ("nexlayer", None, 400, r'"(Application not found|Invalid session token)"', "unknown application or session"),
    # A 400 for invalid YAML or manifests (Nexlayer/nexlayer-cli:docs/reference/api/openapi.json). The spec has it as
    # plain text, because servers of different versions send different bodies.
    ("nexlayer", "start_user_deployment", 400, r'"(Invalid YAML|application\..*)"', "no manifest"),
    ("nexlayer", "update_user_deployment", 400, r'"(Invalid YAML|application\..*)"', "no manifest"),
    ("nexlayer", "validate_manifest", 400, r'"Invalid Nexlayer YAML file"', "no manifest: the documented result of a validation"),
    # The reference: free deployments have limited extensions.
    ("nexlayer", "extend_deployment", 400, r'"No extensions remaining"', "no extension left"),
    # Nexlayer/docs:data/openapi.json has a 500 for this business rule.
    ("nexlayer", "remove_deployment_reservation", 500, r"has already been removed", "already removed"),
    # The real platform responds with 400 to an unknown id, where 404 is documented
    # (edgegap/edgegap-agent-skills:skills/edgegap-unity/references).
    ("edgegap", "get_deployment", 400, r'"Deployment not found"', "unknown id"),
    # "Invalid Application or Application Version" is a 400 in edgegap-v2-openapi.yaml.
    ("edgegap", "create_deployment", 400, r'"Unknown (application|version) ', "unknown application"),
    ("edgegap", "create_fleet_deployment", 400, r'"Unknown (application|version) ', "unknown application"),
    # Assumed to be the same for inactive ones.
    ("edgegap", "create_deployment", 400, r'"Inactive (application|version) ', "inactive application"),
    ("edgegap", "create_fleet_deployment", 400, r'"Inactive (application|version) ', "inactive application"),
    ("edgegap", "list_locations", 400, r'"Unknown application or version"', "unknown application"),
    # This operation documents 400, but not 404.
    ("edgegap", "list_fleet_hosts", 400, r'"Unknown private fleet"', "unknown fleet"),
    # The content of a user depends on its type, and the memory limit on the CPU units. OpenAPI 3.0 can express both
    # only in ways that the code generator does not support.
    ("edgegap", "create_deployment", 400, r'ip_address needs|geo_coordinates needs|at most twice', "fields depend on each other"),
    ("edgegap", "create_fleet_deployment", 400, r'ip_address needs|geo_coordinates needs|at most twice', "fields depend on each other"),
    # The spec has a string; the grammar of its JSON is from edgegap/edgegap-mcp:src/tools.ts.
    ("edgegap", "list_deployments", 400, r'"(more than one filter|a filter for|[a-z_ ]+ is not )', "not a filter"),
    # The memory limit depends on the CPU units. The sandbox verifies images in its own registry.
    ("edgegap", "create_version", 400, r"at most twice|Unable to login", "fields depend on each other"),
    ("edgegap", "create_version", 424, r"Image not found", "unknown image"),
    ("edgegap", "update_version", 400, r"Unable to login", "fields depend on each other"),
    ("edgegap", "update_version", 424, r"Image not found", "unknown image"),
    # RJ/edgegap-arbctl:src/cli/cmds/application/patch_version.rs. The spec does not forbid other fields.
    ("edgegap", "update_version", 400, r"Unknown argument (req_cpu|req_memory|req_video)", "a fixed field"),
    # No 409 is documented for this operation.
    ("edgegap", "update_version", 400, r"already exists", "duplicate"),
    # 410 is documented for terminated deployments.
    ("edgegap", "stop_deployment", 410, r"already terminated", "already terminated"),
    ("edgegap", "stop_own_deployment", 410, r"already terminated", "already terminated"),
    # The 422 of this operation is documented.
    ("edgegap", "get_deployment_metrics", 422, r'cannot be read|must be before', "fields depend on each other"),
    # Newer examples of the reference: only for pre-built image applications.
    ("nodion", "create_deployment", 400, r"only for applications with a pre-built image", "application from git"),
    # Observed.
    ("dployr-control-plane", "delete_deployment", 400, r"Cannot delete a running deployment", "still running"),
    # A running control plane requires the cluster nearly everywhere; the reference has no clusters.
    ("dployr-control-plane", None, 400, r'clusterId is required', "no cluster"),
    # Observed: for a body that is not an object, these operations respond with the framework's 500.
    ("dployr", "request_login_code", 500, r"^Internal Server Error$", "not an object"),
    ("dployr", "verify_login_code", 500, r"^Internal Server Error$", "not an object"),
    ("dployr", "exchange_identity_token", 500, r"^Internal Server Error$", "not an object"),
    ("dployr", "create_instance", 500, r"^Internal Server Error$", "not an object"),
    # Observed: the same, in an envelope.
    ("dployr-control-plane", "set_up_webhook", 500, r"runtime.internal_server_error", "not an object"),
    ("dployr", "verify_login_code", 400, r"Invalid or expired code", "wrong code"),
    # The required fields depend on the source, and the two dialects have different names.
    ("dployr", "create_deployment", 400, r"Validation failed|Invalid deployment configuration", "fields depend on each other"),
    ("dployr", "update_deployment", 400, r"Invalid deployment configuration", "fields depend on each other"),
    ("dployr", "create_route", 400, r"No such service", "unknown id"),
    # Undocumented; accepting a second route would hide a mistake.
    ("dployr", "create_route", 400, r"is routed already", "duplicate"),
    # Observed for a domain without the record.
    ("dployr", "verify_domain", 422, r"TXT record not found", "no TXT record"),
    # Observed for an instance that is registered but never connected.
    ("dployr-control-plane", "reboot_instance", 503, r"is not connected", "not connected"),
    ("dployr-control-plane", "restart_instance", 503, r"is not connected", "not connected"),
    # The sandbox keeps its only connected instance.
    ("dployr", "delete_instance", 501, r"sandbox.not_modelled", "the only connected instance"),
    # An unknown id in a body, in the form of a 400 in nrdcg/nodion:fixtures.
    ("nodion", "create_application", 400, r'"(Region|Instance type) must exist"', "unknown id"),
    ("nodion", "create_scaling_event", 400, r'"(Worker|Instance type) must exist"', "unknown id"),
    # nrdcg/nodion:fixtures has a 400 for duplicates.
    ("nodion", "create_env_variable", 400, r'"Env key has already been taken"', "duplicate"),
    ("nodion", "update_env_variable", 400, r'"Env key has already been taken"', "duplicate"),
    ("nodion", "create_domain", 400, r'"Domain name has already been taken"', "duplicate"),
    # The reference requires verification before connecting.
    ("nodion", "connect_domain", 400, r'"Domain is not verified"', "not verified yet"),
]

# Invalid requests that the platform accepts. Columns: run or a prefix of its name, operation (None for all),
# pattern for the message of schemathesis, reason.
ACCEPTED = [
    # The reference has no pagination.
    ("dployr-documented", None, r"Invalid component: parameter `(page|pageSize)` in query", "pages"),
    # A running control plane uses defaults for invalid numbers and flags in queries.
    (
        "dployr-control-plane",
        None,
        r"Invalid component: parameters? (`(page|pageSize|tail|since|until|from|to|limit|follow|showInvites|showPreReleases)`(, )?)+ in query",
        "queries",
    ),
    # A running control plane does not validate this body.
    ("dployr-control-plane", "set_up_webhook", r"Invalid component:", "the body of the webhook"),
    # The vendor's document allows an empty list, which stops everything.
    ("edgegap", "stop_deployments", r"in body - filters: Array with fewer items", "no filter"),
    # The sandbox treats null like no tag; the platform's behaviour is unknown.
    ("nodion", "create_deployment", r"Invalid component: (.*image_tag|in body - violates `required`)", "no tag"),
]

# Operations whose replies repeat unvalidated input.
ECHOED = {
    # A running control plane accepts any input here.
    ("dployr-control-plane", "set_up_webhook"): "the body of the webhook",
    ("dployr-control-plane", "get_integrations"): "the body of the webhook",
}

# Operations that remove a resource without DELETE, and the parameter that names the resource.
REMOVALS = {
    ("edgegap", "stop_deployment"): "deployment_id",
    ("edgegap", "stop_own_deployment"): "deployment_id",
    ("edgegap", "rename_deployment_tag"): "tag_name",
    # They may rename it.
    ("edgegap", "update_application"): "app_name",
    ("edgegap", "update_version"): "version_name",
}

# Deployments on Edgegap need the application and the version that exist at the start, so no request may change these.
KEPT = {"app_name": "my-app", "version_name": "25.05.30-16.45.19-04"}
CHANGES = {"update_application", "delete_application", "update_version", "delete_version"}

# Body fields for dployr that no link provides: credentials, a domain with a TXT record, the instance and the cluster.
# Half of the requests use them.
SANDBOX_FIELDS = {
    "login": {"email": os.environ["SANDBOX_EMAIL"], "password": os.environ["SANDBOX_PASSWORD"]},
    "request_login_code": {"email": os.environ["SANDBOX_EMAIL"]},
    "verify_login_code": {"email": os.environ["SANDBOX_EMAIL"], "code": os.environ["SANDBOX_CODE"]},
    "exchange_identity_token": {"token": os.environ["SANDBOX_JOB"]},
    # `create_service()` below creates this service.
    "create_domain": {"domain": "app.test", "clusterId": os.environ["SANDBOX_CLUSTER"], "serviceName": "its-app"},
    "update_service": {"instanceName": os.environ["SANDBOX_INSTANCE"]},
    "delete_deployment": {"clusterId": os.environ["SANDBOX_CLUSTER"]},
}
# The same for path parameters: instances that were registered in a run never connect, and domains are soon deleted.
SANDBOX_PATHS = {
    "reboot_instance": {"tag": os.environ["SANDBOX_INSTANCE"]},
    "restart_instance": {"tag": os.environ["SANDBOX_INSTANCE"]},
    "verify_domain": {"domain": "app.test"},
    "delete_domain": {"domain": "app.test"},
}
RUN = os.environ["SANDBOX_RUN"]
if not RUN.startswith("dployr"):
    # Other platforms have operations with the same names.
    SANDBOX_FIELDS = SANDBOX_PATHS = {}

# Operations that need a session instead of a token.
NEEDS_SESSION = {"create_api_token", "list_api_tokens", "delete_api_token"}

REFUSALS_FILE = os.environ["SANDBOX_REFUSALS"]

# Number of latest link values to choose from, per operation.
MAX_KNOWN = 4
# Probabilities: keep the generated values, use an example as body, omit optional parameters.
KEEP_GENERATED = 0.2
USE_EXAMPLE = 0.2
OMIT_OPTIONAL = 0.2

ignored: Counter = Counter()
session: list[str] = []
# Link values by operation: parameters by name, and properties of the body.
known: dict[str, deque] = defaultdict(lambda: deque(maxlen=MAX_KNOWN))
# Existing resources, each as a list of operations and the parameters that its links provide.
existing: list[list] = []
# Path values of renamed tags, with the new name: it may be the name of a tag that was deleted before.
renamed: set[frozenset] = set()
# Names of the parameters that links provide, by operation.
linked: dict[str, set] = defaultdict(set)
chance = random.Random(int(os.environ["SANDBOX_SEED"]))


def id_of(case):
    return case.operation.definition.raw["operationId"]


def at_pointer(document, pointer):
    for part in pointer.lstrip("/").split("/"):
        try:
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return document


def resolved(expression, case, body):
    """The value of an OpenAPI runtime expression, or None."""
    if not isinstance(expression, str) or not expression.startswith("$"):
        return expression
    if expression == "$request.body":
        return case.body
    source, _, pointer = expression.partition("#")
    if source == "$response.body":
        return at_pointer(body, pointer)
    if source == "$request.body":
        return at_pointer(case.body, pointer)
    place, _, name = source.removeprefix("$request.").partition(".")
    values = {"path": case.path_parameters, "query": case.query, "header": case.headers}[place]
    value = values.get(name) if values else None
    return unquote(value) if place == "path" and isinstance(value, str) else value


# Schemathesis uses this serializer for all media types of a family.
@schemathesis.serializer("text/yaml", "text/x-yaml")
def plain_text(context, value):
    """Sends plain text unchanged, not as a YAML scalar."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else json.dumps(value).encode()


def path_of(case):
    """The unquoted path parameters, in the order of the path."""
    names = re.findall(r"{([^}]+)}", case.operation.path)
    values = case.path_parameters or {}
    return {name: unquote(str(values[name])) for name in names if name in values}


def removed_by(case, response):
    """The path values of resources that a successful request removed."""
    if response.status_code >= 300:
        return set()
    path = path_of(case)
    if case.method.upper() == "DELETE" and path:
        return {list(path.values())[-1]}
    for (run, operation), name in REMOVALS.items():
        if RUN == run and operation == id_of(case):
            return {path[name]}
    if RUN == "edgegap" and id_of(case) == "stop_deployments":
        return {one["request_id"] for one in json.loads(response.content)["processable"]}
    if RUN.startswith("dployr") and id_of(case) in ("create_deployment", "update_deployment"):
        # Deploying an existing service replaces its variables.
        return {str(key) for made in existing for _, entry in made if "key" in entry for key in entry.values()}
    return set()


@schemathesis.hook
def after_call(context, case, response):
    if case.method.upper() != case.operation.method.upper():
        # A wrong method for this path.
        return
    ids = set(path_of(case).values())
    deleted = case.method.upper() == "DELETE" and response.status_code < 300
    if deleted or response.status_code in (404, 410):
        # A deletion removes the resource and its children; a 404 only the resource itself.
        last = ids if not deleted else set(list(path_of(case).values())[-1:])
        for entries in known.values():
            for entry in list(entries):
                values = {str(value) for value in entry[0].values()}
                if (deleted and last & values) or (not deleted and last and last == values):
                    entries.remove(entry)
    removed = removed_by(case, response)
    existing[:] = [made for made in existing if not any(removed & set(entry.values()) for _, entry in made)]
    if id_of(case) == "rename_deployment_tag" and response.status_code < 300:
        renamed.add(frozenset((path_of(case)["deployment_id"], case.body["name"])))
    raw = case.operation.definition.raw
    reply = raw["responses"].get(str(response.status_code), {})
    if not reply.get("links"):
        return
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    made = []
    for link in reply["links"].values():
        if "operationId" not in link:
            # Schemathesis inferred this link.
            continue
        parameters = {name: resolved(value, case, body) for name, value in link.get("parameters", {}).items()}
        wanted = link.get("requestBody", {})
        if isinstance(wanted, dict):
            wanted = {name: resolved(value, case, body) for name, value in wanted.items()}
        else:
            wanted = resolved(wanted, case, body)
        if None in parameters.values() or None in (wanted.values() if isinstance(wanted, dict) else [wanted]):
            continue
        made.append((link["operationId"], {name: str(value) for name, value in parameters.items()}))
        entry = (parameters, wanted)
        if entry not in known[link["operationId"]]:
            known[link["operationId"]].append(entry)
    if case.method.upper() == "POST":
        existing.append(made)


def is_optional(operation, name):
    parameter = operation.query.get(name)
    return parameter is not None and not parameter.is_required


def container_credentials(deployment):
    """Stop key and token of a container, computed like `EdgegapAccess::self_stop` of the sandbox."""
    mask, mixed = (1 << 64) - 1, 0xCBF29CE484222325
    for byte in deployment.encode():
        mixed = (mixed ^ byte) * 0x100000001B3 & mask
    rotated = (mixed << 29 | mixed >> 35) & mask
    return str(mixed % 1000), f"{mixed:016x}{rotated ^ 0x5A5A:016x}"


def use_container_token(case, kwargs):
    if not known["stop_deployment"]:
        return
    deployment = chance.choice(known["stop_deployment"])[0]["deployment_id"]
    key, token = container_credentials(deployment)
    case.path_parameters.update(deployment_id=deployment, stop_key=key)

    def set_container_token(request):
        request.headers["Authorization"] = token
        return request

    kwargs["auth"] = set_container_token


def use_session(kwargs):
    """Logs in by code and sends the session cookie instead of the token."""
    login = os.environ["SANDBOX_URL"] + "/v1/auth/login/email"
    email = os.environ["SANDBOX_EMAIL"]
    if not session:
        requests.post(login, json={"email": email}, timeout=10)
        reply = requests.post(f"{login}/verify", json={"email": email, "code": os.environ["SANDBOX_CODE"]}, timeout=10)
        session.append(reply.headers["Set-Cookie"].partition(";")[0])

    def set_session_cookie(request):
        # A bearer token with the API-token prefix would have priority over the cookie, and without a token
        # schemathesis sees no credentials.
        request.headers["Authorization"] = "Bearer session"
        request.headers["Cookie"] = session[0]
        return request

    kwargs["auth"] = set_session_cookie


def create_service():
    """Creates the service for a domain; recreates it if it was deleted."""
    requests.post(
        os.environ["SANDBOX_URL"] + "/v1/deployments",
        params={"clusterId": os.environ["SANDBOX_CLUSTER"]},
        headers={"Authorization": "Bearer " + os.environ["SANDBOX_TOKEN"]},
        json={"name": "its-app", "type": "web", "source": "image", "image": "nginx:1.27", "port": 3000},
        timeout=10,
    ).raise_for_status()


@schemathesis.hook
def before_call(context, case, kwargs):
    entries = known.get(id_of(case))
    meta = case.meta
    if meta is not None and not meta.is_negative_at(ParameterLocation.PATH):
        # Schemathesis quotes generated values, but not those of links.
        for name, value in (case.path_parameters or {}).items():
            if isinstance(value, str) and re.search(r"[?#/]", value):
                case.path_parameters[name] = quote(value, safe="")
    if RUN == "edgegap" and id_of(case) in CHANGES:
        name, value = list(path_of(case).items())[-1]
        if value == KEPT[name]:
            case.path_parameters[name] = "another"
    if meta is None or chance.random() < KEEP_GENERATED:
        return
    operation = case.operation
    if id_of(case) == "stop_own_deployment" and meta.generation.mode.is_positive:
        use_container_token(case, kwargs)
        return
    wrong_credentials = any(meta.is_negative_at(place) for place in (ParameterLocation.HEADER, ParameterLocation.COOKIE))
    if id_of(case) in NEEDS_SESSION and not wrong_credentials:
        use_session(kwargs)
    positive_body = case.media_type is not None and not meta.is_negative_at(ParameterLocation.BODY)
    if positive_body and (case.media_type.startswith("text/") or chance.random() < USE_EXAMPLE):
        # Use an example: schemas do not describe plain text.
        media = operation.definition.raw["requestBody"]["content"][case.media_type]
        examples = [example["value"] for example in media.get("examples", {}).values()]
        examples += [media["example"]] if "example" in media else []
        if examples:
            case.body = copy.deepcopy(chance.choice(examples))
    if positive_body and isinstance(case.body, dict) and chance.random() < 0.5:
        case.body.update(SANDBOX_FIELDS.get(id_of(case), {}))
        if RUN == "dployr-control-plane" and id_of(case) == "create_domain":
            create_service()
    omit_optional = chance.random() < OMIT_OPTIONAL
    if not entries or omit_optional:
        # Remove optional parameters that need an existing resource.
        for name in linked[id_of(case)]:
            if is_optional(operation, name) and not meta.is_negative_at(ParameterLocation.QUERY):
                case.query.pop(name, None)
    if is_optional(operation, "clusterId") and not meta.is_negative_at(ParameterLocation.QUERY) and not omit_optional:
        case.query["clusterId"] = os.environ["SANDBOX_CLUSTER"]
    if id_of(case) in SANDBOX_PATHS and chance.random() < 0.5 and not meta.is_negative_at(ParameterLocation.PATH):
        case.path_parameters.update(SANDBOX_PATHS[id_of(case)])
        case._components = store_components(case)
        return
    if not entries:
        return
    path = path_of(case)
    if path and any(path.items() <= entry[0].items() for entry in entries):
        return
    parameters, wanted = chance.choice(entries)
    for name, value in parameters.items():
        if omit_optional and is_optional(operation, name):
            continue
        for location, container, declared in (
            (ParameterLocation.PATH, case.path_parameters, operation.path_parameters),
            (ParameterLocation.QUERY, case.query, operation.query),
        ):
            if name in declared and container is not None and not meta.is_negative_at(location):
                # Path parameters are already quoted here.
                container[name] = quote(str(value), safe="") if location is ParameterLocation.PATH else value
    if wanted and positive_body:
        if isinstance(wanted, dict) and isinstance(case.body, dict):
            case.body.update(wanted)
        elif not isinstance(wanted, dict):
            case.body = wanted
    # Otherwise the checks would assume that these values came from a link.
    case._components = store_components(case)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    kind, operation = type(failure).__name__, id_of(case)
    text = response.content.decode("utf-8", "replace")
    rows = []
    if kind in ("RejectedPositiveData", "ServerError", "UndefinedStatusCode"):
        rows = [row for row in REFUSALS if row[2] == response.status_code and re.search(row[3], text)]
    elif kind == "EnsureResourceAvailability":
        # Schemathesis mistakes generated, quoted values for link values, and recognises only DELETE of the same path as
        # removal.
        path = path_of(case)
        if not any(name == operation and path.items() <= entry.items() for made in existing for name, entry in made):
            rows = [(RUN, operation, "deleted or never created")]
        elif operation == "delete_deployment":
            # The task id equals the deployment id only when a name is deployed for the first time.
            rows = [("dployr-control-plane", operation, "the id is a task id, not a deployment id")]
    elif kind == "UseAfterFree":
        if frozenset(path_of(case).values()) in renamed:
            rows = [(RUN, operation, "the name is in use again")]
    elif kind == "JsonSchemaError":
        rows = [(RUN, operation, ECHOED[RUN, operation])] if (RUN, operation) in ECHOED else []
    elif kind == "AcceptedNegativeData":
        rows = [row for row in ACCEPTED if re.search(row[2], failure.message, re.MULTILINE)]
    for row in rows:
        if RUN.startswith(row[0]) and row[1] in (None, operation):
            ignored[f"{operation} {row[-1]}"] += 1
            with open(REFUSALS_FILE, "w", encoding="utf-8") as file:
                json.dump(ignored, file)
            return False
    return True


@schemathesis.hook
def after_load_schema(context, schema):
    for item in schema.raw_schema["paths"].values():
        for operation in item.values():
            for reply in operation["responses"].values():
                for link in reply.get("links", {}).values():
                    linked[link["operationId"]].update(link.get("parameters", {}))
    # This single phase covers all operations of a platform.
    schema.config.phases.stateful.generation.max_examples = int(os.environ["SANDBOX_SCENARIOS"])
    schema.config.phases.stateful.max_steps = 12


def continue_after_flaky(classify_flaky):
    """Starts another suite when hypothesis reports flaky tests, until there are enough scenarios.

    Hypothesis expects equal replies to equal requests, but a platform has state: a free name may be taken later.
    Without this, schemathesis would end the phase after a few scenarios.
    """

    def classify(*, ctx, engine, state):
        status, restart, events = classify_flaky(ctx=ctx, engine=engine, state=state)
        return status, restart or ctx.completed_scenarios < int(os.environ["SANDBOX_SCENARIOS"]), events

    return classify


_executor._classify_flaky = continue_after_flaky(_executor._classify_flaky)
