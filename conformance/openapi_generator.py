"""The main job of each platform, done by clients that openapi-generator made of the specs, against the sandbox.

Started by conformance/openapi-generator, with the sandbox's binary as the argument. Prints one line per check.
"""

import re
import subprocess
import sys
import time
import traceback

import dployr_client
import edgegap_client
import nexlayer_client
import nodion_client

# Longer than a deployment takes in the sandbox, on a machine that is busy with other things.
PATIENCE = 30.0
MANIFEST = open("examples/nexlayer.yaml", encoding="utf-8").read()


class Sandbox:
    """A sandbox in a dialect of dployr, and what it says about its platforms."""

    def __init__(self, binary, dialect):
        self.process = subprocess.Popen([binary, "--dialect", dialect], stdout=subprocess.PIPE, text=True)
        self.at = {}
        platform = None
        for line in self.process.stdout:
            if line.startswith("Ctrl-C"):
                return
            words = re.split(r"  +", line.strip())
            if line[0] not in " \n":
                platform = self.at.setdefault(words[0].lower(), {"url": words[-1]})
            elif len(words) == 2:
                # `login code   123`: two spaces at least stand before what it is.
                platform[words[0]] = words[1]
        raise RuntimeError("the sandbox does not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def until(look, wanted):
    """What a look gives as soon as it is what is wanted."""
    end = time.monotonic() + PATIENCE
    while True:
        seen = look()
        if wanted(seen):
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"it is still {seen}")
        time.sleep(0.2)


def refused(error, status, call, *arguments):
    """A call that this status answers."""
    try:
        call(*arguments)
    except error as failure:
        assert failure.status == status, failure
    else:
        raise AssertionError(f"it is not refused with {status}")


def value(reply):
    """What a reply of dployr holds, whichever of its forms it has, in an envelope or without one."""
    reply = getattr(reply, "actual_instance", reply)
    reply = getattr(reply, "data", None) or reply
    return getattr(reply, "actual_instance", reply)


def items(reply):
    reply = value(reply)
    return reply if isinstance(reply, list) else reply.items


def found(records, **wanted):
    """The record with these properties."""
    for record in records:
        if all(getattr(record, name) == value for name, value in wanted.items()):
            return record
    raise AssertionError(f"none of {records} has {wanted}")


def edgegap(at):
    setup = edgegap_client.Configuration(host=at["url"])
    setup.api_key["ApiToken"] = f"token {at['token']}"
    application, version = at["application"].split()
    with edgegap_client.ApiClient(setup) as client:
        api = edgegap_client.DeploymentsApi(client)
        address = edgegap_client.UserData(ip_address="75.28.35.192")
        user = edgegap_client.User(user_type="ip_address", user_data=address)
        new = edgegap_client.DeploymentCreate(application=application, version=version, users=[user], tags=["python"])
        made = api.create_deployment(new)
        ready = until(lambda: api.get_deployment(made.request_id), lambda seen: seen.current_status == "Status.READY")
        assert ready.running and ready.fqdn.startswith(made.request_id), ready
        assert "gameport" in ready.ports, ready.ports
        listed = api.list_deployments()
        assert made.request_id in [one.request_id for one in listed.data], listed
        api.stop_deployment(made.request_id)
        until(lambda: api.get_deployment(made.request_id), lambda seen: seen.current_status == "Status.TERMINATED")
        refused(edgegap_client.ApiException, 410, api.stop_deployment, made.request_id)


def nodion(at):
    setup = nodion_client.Configuration(host=at["url"], access_token=at["token"])
    with nodion_client.ApiClient(setup) as client:
        api = nodion_client.DeploymentsApi(client)
        made = api.create_deployment(at["application"]).deployment
        look = lambda: found(api.list_deployments(at["application"]).deployments, id=made.id)
        done = until(look, lambda seen: seen.status == "available")
        assert done.deploy_number == made.deploy_number, done
        application = nodion_client.ApplicationsApi(client).get_application(at["application"]).application
        assert application.id == at["application"], application
        refused(nodion_client.ApiException, 404, api.create_deployment, "none")


def nexlayer(at):
    with nexlayer_client.ApiClient(nexlayer_client.Configuration(host=at["url"])) as client:
        api = nexlayer_client.DeploymentsApi(client)
        made = api.start_user_deployment(MANIFEST)
        mine = nexlayer_client.ApplicationRequest(session_token=made.session_token, application_name=made.application_name)
        manifests = nexlayer_client.ManifestApi(client)
        api.extend_deployment(mine)
        # There is one extension and no second.
        refused(nexlayer_client.ApiException, 400, api.extend_deployment, mine)


def dployr(at):
    setup = dployr_client.Configuration(host=at["url"], access_token=at["token"])
    cluster = at["cluster"]
    with dployr_client.ApiClient(setup) as client:
        api = dployr_client.DeploymentsApi(client)
        new = dployr_client.DeploymentCreate(name="python", type="web", source="image", image="nginx:1.27", port=3000)
        assert value(api.create_deployment(new, cluster_id=cluster)) is not None
        look = lambda: found(items(api.list_deployments(cluster_id=cluster)), name="python")
        until(look, lambda seen: seen.status == "running")
        services = dployr_client.ServicesApi(client)
        service = found(items(services.list_services(cluster_id=cluster)), name="python")
        logs = services.get_service_logs(service.id)
        assert logs, logs


def main(binary):
    holds = True
    jobs = [
        ("control-plane", [nexlayer, nodion, edgegap, dployr]),
        ("documented", [dployr]),
    ]
    for dialect, of_dialect in jobs:
        sandbox = Sandbox(binary, dialect)
        try:
            for job in of_dialect:
                name = job.__name__ if job is not dployr else f"dployr, {dialect}"
                try:
                    job(sandbox.at[job.__name__])
                    print(f"ok openapi-generator: the Python client does the main job on {name}")
                except Exception as error:
                    holds = False
                    words = " ".join(f"{type(error).__name__}: {error}".split())
                    print(f"FAILED openapi-generator: the Python client does the main job on {name}: {words[:2000]}")
                    traceback.print_exc(limit=-4)
        finally:
            sandbox.stop()
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
