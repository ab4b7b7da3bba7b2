//! Instances, processes and scaling: <https://www.nodion.com/en/docs/api/application-instances>,
//! <https://www.nodion.com/en/docs/api/application-processes> and
//! <https://www.nodion.com/en/docs/api/application-scaling>.

use std::time::Duration;

use serde_json::{Value, json};

use super::applications::{Application, TYPES, describe_type, read_amount, read_instance_type};
use super::{Now, bad_request, body_of, envelope, insert_field, list, not_found, position};
use crate::ids::Ids;
use crate::platform::Call;
use crate::reply::HandlerResult;
use crate::time::rfc3339_berlin;

#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) amount: u64,
    pub(super) instance_type: usize,
}

#[derive(Clone, Debug)]
pub(super) struct ScalingEvent {
    id: String,
    /// Index of the process.
    process: usize,
    amounts: [u64; 2],
    types: [usize; 2],
    created_at: Duration,
}

/// A running instance of a process.
pub(super) struct Instance<'a> {
    pub(super) id: String,
    pub(super) process: &'a Process,
    number: u64,
    pub(super) since: Duration,
}

impl Process {
    pub(super) fn new(id: String, name: &'static str, amount: u64, instance_type: usize) -> Self {
        Self {
            id,
            name,
            amount,
            instance_type,
        }
    }

    pub(super) fn type_id(&self) -> &'static str {
        TYPES.get(self.instance_type).map_or("", |known| known.id)
    }

    /// The JSON of a worker in applications, instances and events.
    pub(super) fn as_worker(&self) -> Value {
        json!({
            "id": self.id,
            "status": "available",
            "state": "default",
            "name": self.name,
            "instance_amount": self.amount,
            "instance_type_id": self.type_id(),
        })
    }
}

impl Instance<'_> {
    /// `web.1`, as in the example of the logs.
    pub(super) fn label(&self) -> String {
        format!("{}.{}", self.process.name.to_lowercase(), self.number)
    }
}

impl Application {
    /// The instances of the live deployment. Their ids change with every deployment.
    pub(super) fn running(&self, clock: Now) -> Vec<Instance<'_>> {
        let Some(live) = self.live(clock) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (index, process) in self.processes.iter().enumerate() {
            // The old number of instances runs until the scaling event is finished.
            let pending = self
                .events
                .iter()
                .find(|event| event.process == index && !event.is_finished(clock));
            let amount = pending.map_or(process.amount, |event| event.amounts[0]);
            let process_seed = u64::try_from(index).unwrap_or(0) * 64;
            for number in 1..=amount {
                let seed = self.seed + live.number * 4_096 + process_seed + number;
                all.push(Instance {
                    id: Ids::new(seed).uuid(),
                    process,
                    number,
                    since: live.ready_at(clock),
                });
            }
        }
        all
    }

    pub(super) fn list_instances(&self, clock: Now) -> HandlerResult {
        let deployment = self
            .live(clock)
            .map(|live| self.describe_deployment(live, clock));
        // In the list of instances, the reference's example lacks these two fields.
        let deployment = deployment.map(|mut deployment| {
            deployment.retain(|name, _| name != "strategy" && name != "image_reference");
            deployment
        });
        let web = self.processes.first().map(|web| web.id.as_str());
        let running = self.running(clock);
        let all = running.iter().map(|one| {
            let is_web = Some(one.process.id.as_str()) == web;
            json!({
                    "id": one.id,
                    "status": "online",
                    "name": one.id.chars().filter(char::is_ascii_hexdigit).take(10).collect::<String>(),
                    "hypervisor_name": "16475",
                    "created_at": rfc3339_berlin(one.since),
                    "deployment": deployment,
                    "instance_type": describe_type(one.process.instance_type),
                    // Null for the web process, as in the reference's example.
                    "worker": if is_web { Value::Null } else { one.process.as_worker() },
            })
        });
        list("instances", all)
    }

    pub(super) fn list_processes(&self) -> HandlerResult {
        let all = 0..self.processes.len();
        list("processes", all.map(|index| self.describe_process(index)))
    }

    pub(super) fn scale_process(&mut self, call: &Call) -> HandlerResult {
        let index = position(&self.processes, |one| one.id == call.path("process_id"))?;
        // The reference gives no maximum for processes; 16 is the maximum of applications and scaling events.
        let amount = read_amount(&body_of(call)?, 0)?;
        if let Some(process) = self.processes.get_mut(index) {
            process.amount = amount;
        }
        // The real reply is unknown; assumed to have an envelope like the other operations.
        envelope("process", self.describe_process(index))
    }

    /// The JSON of a process. The first process serves requests; slug and entrypoint are as in the
    /// reference's example.
    fn describe_process(&self, index: usize) -> Value {
        let Some(process) = self.processes.get(index) else {
            return Value::Null;
        };
        let slug = process.name.to_lowercase();
        let name = self.name.replace(' ', "-").to_lowercase();
        let own_image = || format!("registry.euc.nodion.net/{name}/{slug}");
        let image = self.image.map_or_else(own_image, str::to_owned);
        let port_id = Ids::new(self.seed).uuid();
        let port = json!({ "id": port_id, "port": 3000, "protocol": "http" });
        let is_first = index == 0;
        let mut body = process.as_worker();
        for (name, value) in [
            ("slug", json!(slug)),
            ("image_name", json!(image)),
            ("entrypoint", json!(is_first.then_some(&slug))),
            ("instance_type", describe_type(process.instance_type)),
            ("ports", is_first.then_some(port).into_iter().collect()),
        ] {
            insert_field(&mut body, name, value);
        }
        body
    }

    /// Lists the scaling events, newest first as in the reference's example.
    pub(super) fn list_events(&self, clock: Now) -> HandlerResult {
        let newest_first = self.events.iter().rev();
        let all = newest_first.map(|event| self.describe_event(event, clock));
        list("scaling_events", all)
    }

    pub(super) fn create_event(&mut self, call: &Call, ids: &mut Ids, clock: Now) -> HandlerResult {
        let body = body_of(call)?;
        let (amount, instance_type) = (read_amount(&body, 1)?, read_instance_type(&body)?);
        let index = match body.get("worker_id") {
            None => 0,
            Some(id) => {
                let mut workers = self.processes.iter().enumerate().skip(1);
                let found = workers.find(|(_, worker)| id.as_str() == Some(worker.id.as_str()));
                found.ok_or_else(|| bad_request("Worker must exist"))?.0
            }
        };
        let Some(process) = self.processes.get_mut(index) else {
            return Err(not_found());
        };
        let event = ScalingEvent {
            id: ids.uuid(),
            process: index,
            amounts: [process.amount, amount],
            types: [process.instance_type, instance_type],
            created_at: clock.now,
        };
        (process.amount, process.instance_type) = (amount, instance_type);
        // The real reply is unknown; assumed to have an envelope like the other operations.
        let body = self.describe_event(&event, clock);
        self.events.push(event);
        envelope("scaling_event", body)
    }

    fn describe_event(&self, event: &ScalingEvent, clock: Now) -> Value {
        let type_id = |index: usize| TYPES.get(index).map(|known| known.id);
        let finished = event.is_finished(clock);
        let worker = self.processes.get(event.process);
        let worker = worker.filter(|_| event.process > 0).map(Process::as_worker);
        json!({
            "id": event.id,
            // The reference shows `finished`; `created` is an assumption.
            "status": if finished { "finished" } else { "created" },
            "trigger_type": "manual",
            "instance_amount_old": event.amounts[0],
            "instance_amount_new": event.amounts[1],
            "instance_type_id_old": type_id(event.types[0]),
            "instance_type_id_new": type_id(event.types[1]),
            "created_at": rfc3339_berlin(event.created_at),
            "finished_at": finished.then(|| rfc3339_berlin(event.ends_at(clock))),
            "worker": worker,
        })
    }
}

impl ScalingEvent {
    fn ends_at(&self, clock: Now) -> Duration {
        self.created_at + clock.timing.ready_after
    }

    fn is_finished(&self, clock: Now) -> bool {
        clock.now >= self.ends_at(clock)
    }
}
