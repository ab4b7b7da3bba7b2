//! The rules of each platform, as tables of requests and replies.
//!
//! The tables must have a success of every operation. Every other documented status must occur in a table or
//! be available as a fault. The spec must allow every reply.

#[path = "../common/mod.rs"]
mod common;
mod table;

use common::TestPlatform;
use deploykit_sandbox::spec::Spec;
use deploykit_sandbox::{Dialect, NexlayerPlan, Platform, Sandbox, SandboxBuilder};
use table::{SeenStatuses, TableRunner};

const NEXLAYER: &str = include_str!("tables/nexlayer.txt");
const DPLOYR: &str = include_str!("tables/dployr.txt");
const CONTROL_PLANE: &str = include_str!("tables/control_plane.txt");
const NODION: &str = include_str!("tables/nodion.txt");
const EDGEGAP: &str = include_str!("tables/edgegap.txt");

/// The builder for a section, from the options in its title.
fn builder(dialect: Dialect) -> impl Fn(&str) -> SandboxBuilder {
    move |options| {
        let builder = Sandbox::builder().dployr_dialect(dialect);
        options
            .split_whitespace()
            .fold(builder, |builder, option| match option {
                "fails" => builder.deployments_fail(true),
                "free" => builder.nexlayer_plan(NexlayerPlan::Free),
                "no-pods-status" => builder.nexlayer_pods_status(false),
                "no-build-node" => builder.dployr_build_node(false),
                "record-deleted" => builder.dployr_deletes_record_during_update(true),
                "capacity-for-one" => builder.edgegap_capacity(1),
                "no-limits" => builder.rate_limits(false),
                _ => panic!("unknown option {option}"),
            })
    }
}

/// Runs the tables of a platform, then checks that they produce all documented statuses.
fn check(platform: Platform, tables: &[(Dialect, &str)]) {
    let mut seen = SeenStatuses::new();
    for (dialect, table) in tables {
        let builder = builder(*dialect);
        TableRunner::table(platform, table, &builder, &mut seen);
        let mut runner = TableRunner::new(platform, builder("no-limits"), &mut seen);
        let owner = runner.authorization();
        runner.send_invalid_requests(owner.as_deref());
        runner.send_invalid_requests(None);
    }
    let mut missing = Vec::new();
    for operation in Spec::of(platform).operations() {
        let id = operation.id();
        let is_in_table = |status: u16| seen.contains(&(id, status));
        if !operation
            .statuses()
            .any(|status| status < 400 && is_in_table(status))
        {
            missing.push(format!("{id}: no success"));
        }
        let others = operation.statuses().filter(|status| !is_in_table(*status));
        let others = others.filter(|status| !table::is_injectable(platform, operation, *status));
        missing.extend(others.map(|status| format!("{id} {status}")));
    }
    assert_eq!(missing, [""; 0], "statuses that no table row produces");
}

#[test]
fn nexlayer_follows_its_rules_and_spec() {
    check(Platform::Nexlayer, &[(Dialect::Documented, NEXLAYER)]);
}

#[test]
fn dployr_follows_its_rules_and_spec_in_both_dialects() {
    let tables = [
        (Dialect::Documented, DPLOYR),
        (Dialect::ControlPlane, CONTROL_PLANE),
    ];
    check(Platform::Dployr, &tables);
}

#[test]
fn nodion_follows_its_rules_and_spec() {
    check(Platform::Nodion, &[(Dialect::Documented, NODION)]);
}

#[test]
fn edgegap_follows_its_rules_and_spec() {
    check(Platform::Edgegap, &[(Dialect::Documented, EDGEGAP)]);
}

#[test]
fn rate_limits_can_be_disabled() {
    for (limits, status) in [(true, 429), (false, 200)] {
        let mut api = TestPlatform::new(Platform::Edgegap, Sandbox::builder().rate_limits(limits));
        let last = (0..50)
            .map(|_| api.get("/v1/deployments").status.as_u16())
            .last();
        assert_eq!(last, Some(status));
        let builder = Sandbox::builder()
            .rate_limits(limits)
            .dployr_dialect(Dialect::ControlPlane);
        let mut api = TestPlatform::new(Platform::Dployr, builder);
        let last = (0..500)
            .map(|_| api.get("/v1/users/me").status.as_u16())
            .last();
        assert_eq!(last, Some(status));
    }
}
