"""Summarizes a run of schemathesis in one line.

    schemathesis_report.py NAME STATUS SPEC FOLDER

reads NAME.ndjson, NAME.txt and NAME.refusals in FOLDER. It fails unless the run completed, every request got a reply,
every operation succeeded once, and links were followed.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

import yaml

# Operations that cannot succeed, by run.
HOPELESS = {
    "dployr-control-plane": {
        # A defect of the control plane: it takes the deployment id for a cluster id and answers 403.
        "get_deployment",
    },
}

# Rules that ignore more than this share would hide problems.
MOST_PASSED_OVER = 0.3


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
    selected, ended, cases, silent = 0, False, 0, 0
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
            silent += code == 0
            operation = known.get((case["value"]["method"], case["value"]["path"]))
            if operation:
                answered[operation][code] += 1
            if case.get("transition") and case.get("is_transition_applied"):
                links[case["transition"]["id"]] += 1
                followed[code] += 1
    unlucky = {
        operation: dict(sorted(codes.items()))
        for operation, codes in sorted(answered.items())
        if operation not in HOPELESS.get(name, set()) and not any(200 <= code < 300 for code in codes)
    }
    why = []
    refusals = folder / f"{name}.refusals"
    passed_over = sum(json.loads(refusals.read_text(encoding="utf-8")).values()) if refusals.exists() else 0
    if passed_over > MOST_PASSED_OVER * cases:
        why.append("too many failures are ignored")

    if status:
        why.append("schemathesis failed, see above")
    if not ended:
        why.append("the run did not complete")
    if silent:
        why.append(f"{silent} requests without a reply")
    if unlucky:
        why.append("never succeeded: " + ", ".join(f"{operation} {codes}" for operation, codes in unlucky.items()))
    if not links:
        why.append("no link was followed")
    codes = ", ".join(f"{number} x {code}" for code, number in sorted(followed.items()))
    figures = (
        f"{len(answered)} of {selected} operations, {cases} cases, {passed_over} failures ignored, "
        f"stateful: {sum(links.values())} transitions over {len(links)} links ({codes})"
    )
    if why or len(answered) != selected:
        print((folder / f"{name}.txt").read_text(encoding="utf-8"), file=sys.stderr)
        print(f"FAILED schemathesis {name}: {'; '.join(why)}: {figures}")
        return 1
    print(f"ok schemathesis {name}: {figures}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])))
