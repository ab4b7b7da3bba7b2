"""The main job of each platform, done by clients that openapi-generator made of the specs, against the sandbox.

Started by conformance/openapi-generator, with the sandbox's binary as the argument. Prints one line per check.
"""

import importlib
import json
import pkgutil
import re
import signal
import subprocess
import sys
import time
import types

import dployr_client
import edgegap_client
import nexlayer_client
import nodion_client

CLIENTS = [nexlayer_client, dployr_client, nodion_client, edgegap_client]

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


def bare(response):
    """The records of a list without an envelope, as they come.

    The generated code checks the items of an array that is one form of a reply among several without making models of
    them first, and fails on a time, which is a text or a number: a model of its own. In an envelope it does not.
    """
    return [types.SimpleNamespace(**record) for record in json.loads(response.data)]


def dployr(at, lists):
    """`lists` reads the lists of a dialect: their records, from an API and the name of its method."""
    setup = dployr_client.Configuration(host=at["url"], access_token=at["token"])
    cluster = at["cluster"]
    with dployr_client.ApiClient(setup) as client:
        api = dployr_client.DeploymentsApi(client)
        services = dployr_client.ServicesApi(client)
        new = dployr_client.DeploymentCreate(name="python", type="web", source="image", image="nginx:1.27", port=3000)
        made = value(api.create_deployment(new, cluster_id=cluster))
        assert made, "the reply to a create is empty"
        look = lambda: found(lists(api, "list_deployments", cluster), name="python")
        until(look, lambda seen: seen.status in ("success", "completed"))
        service = found(lists(services, "list_services", cluster), name="python")
        lines = services.get_service_logs(service.id)
        assert lines and "python" not in (service.id, None), lines
        mine = dployr_client.InCluster(cluster_id=cluster)
        api.delete_deployment(look().id, cluster_id=cluster, in_cluster=mine)
        refused(dployr_client.ApiException, 404, services.get_service_logs, "none")


def control_plane(api, name, cluster):
    return items(getattr(api, name)(cluster_id=cluster))


def documented(api, name, cluster):
    return bare(getattr(api, f"{name}_without_preload_content")(cluster_id=cluster))


def modules(client):
    """Loads every module of a client, and counts them."""
    found = pkgutil.walk_packages(client.__path__, f"{client.__name__}.")
    return sum(1 for module in found if importlib.import_module(module.name))


class Report:
    holds = True

    def check(self, name, job, *arguments):
        """Runs a job: what it gives goes into the name."""
        try:
            given = job(*arguments)
            print(f"ok openapi-generator: {name.format(given)}")
        except Exception as error:
            self.holds = False
            words = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAILED openapi-generator: {name}: {words[:2000]}")


def main(binary):
    # So that what is begun here is ended here.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report()
    for client in CLIENTS:
        report.check(f"{client.__name__} is made and installed, and its {{}} modules load", modules, client)
    jobs = [
        ("control-plane", [(nexlayer,), (nodion,), (edgegap,), (dployr, control_plane)]),
        ("documented", [(dployr, documented)]),
    ]
    for dialect, of_dialect in jobs:
        sandbox = Sandbox(binary, dialect)
        try:
            for job, *more in of_dialect:
                platform = job.__name__
                name = platform if job is not dployr else f"{platform}, {dialect}"
                report.check(f"it does the main job on {name}", job, sandbox.at[platform], *more)
        finally:
            sandbox.stop()
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
