"""Summarizes a run of schemathesis in one line.

    schemathesis_report.py NAME STATUS SPEC FOLDER

reads NAME.ndjson, NAME.txt and NAME.refusals in FOLDER. It fails unless the run completed, every request got a reply,
every operation succeeded at least once, links were followed, and few failures were ignored.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

import yaml

# Operations that cannot succeed, by run.
NEVER_SUCCEEDS = {
    "dployr-control-plane": {
        # A defect of the control plane: it uses the deployment id as a cluster id, and responds with 403.
        "get_deployment",
    },
}

# Maximum share of ignored failures: rules that ignore more could hide problems.
MAX_IGNORED = 0.3


def operations(spec: Path) -> dict[tuple[str, str], str]:
    paths = yaml.safe_load(spec.read_text(encoding="utf-8"))["paths"]
    return {
        (method.upper(), path): operation["operationId"]
        for path, item in paths.items()
        for method, operation in item.items()
    }


def events(report: Path):
    if not report.exists():
        return
    with report.open(encoding="utf-8") as lines:
        for line in lines:
            yield next(iter(json.loads(line).items()))


def main(name: str, status: int, spec: Path, folder: Path) -> int:
    known = operations(spec)
    selected, ended, cases, unanswered = 0, False, 0, 0
    answered: dict[str, Counter] = defaultdict(Counter)
    links, followed = Counter(), Counter()
    for event, body in events(folder / f"{name}.ndjson"):
        if event == "LoadingFinished":
            selected = body["statistic"]["operations"]["selected"]
        if event == "EngineFinished":
            ended = body["stop_reason"] == "completed"
        if event != "ScenarioFinished":
            continue
        interactions = body["recorder"].get("interactions", {})
        for case_id, case in body["recorder"].get("cases", {}).items():
            response = (interactions.get(case_id) or {}).get("response")
            code = response["status_code"] if response else 0
            cases += 1
            unanswered += code == 0
            operation = known.get((case["value"]["method"], case["value"]["path"]))
            if operation:
                answered[operation][code] += 1
            if case.get("transition") and case.get("is_transition_applied"):
                links[case["transition"]["id"]] += 1
                followed[code] += 1
    never_succeeded = {
        operation: dict(sorted(codes.items()))
        for operation, codes in sorted(answered.items())
        if operation not in NEVER_SUCCEEDS.get(name, set()) and not any(200 <= code < 300 for code in codes)
    }
    problems = []
    refusals = folder / f"{name}.refusals"
    ignored = sum(json.loads(refusals.read_text(encoding="utf-8")).values()) if refusals.exists() else 0
    if ignored > MAX_IGNORED * cases:
        problems.append("too many failures are ignored")

    if status:
        problems.append("schemathesis failed, see above")
    if not ended:
        problems.append("the run did not complete")
    if unanswered:
        problems.append(f"{unanswered} requests without a reply")
    if never_succeeded:
        problems.append("never succeeded: " + ", ".join(f"{operation} {codes}" for operation, codes in never_succeeded.items()))
    if not links:
        problems.append("no link was followed")
    codes = ", ".join(f"{number} x {code}" for code, number in sorted(followed.items()))
    figures = (
        f"{len(answered)} of {selected} operations, {cases} cases, {ignored} failures ignored, "
        f"stateful: {sum(links.values())} transitions over {len(links)} links ({codes})"
    )
    if problems or len(answered) != selected:
        print((folder / f"{name}.txt").read_text(encoding="utf-8"), file=sys.stderr)
        print(f"FAILED schemathesis {name}: {'; '.join(problems)}: {figures}")
        return 1
    print(f"ok schemathesis {name}: {figures}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])))
