//! Every status of every operation that the specs list: the sandbox gives it, and the reply is one that the spec allows.
//!
//! The tables drive the state machines to as many of them as their own rules have, row by row; the rest is injected.

#[path = "../common/mod.rs"]
mod common;
mod play;

use std::collections::BTreeSet;
use std::time::Duration;

use common::BEGIN;
use deploykit_sandbox::contract::Contract;
use deploykit_sandbox::{Builder, Dialect, Plan, Platform, Sandbox};
use play::{Play, Seen};

const NEXLAYER: &str = include_str!("tables/nexlayer.txt");
const DPLOYR: &str = include_str!("tables/dployr.txt");
const CONTROL_PLANE: &str = include_str!("tables/control_plane.txt");
const NODION: &str = include_str!("tables/nodion.txt");
const EDGEGAP: &str = include_str!("tables/edgegap.txt");
const EXTREMES: &str = include_str!("tables/extremes.txt");

fn plane() -> Builder {
    Sandbox::builder().dployr_dialect(Dialect::ControlPlane)
}

fn nexlayer(seen: &mut Seen) {
    let mut life = Play::new(NEXLAYER, Platform::Nexlayer, Sandbox::builder(), seen);
    life.rows("life");
    life.ask_everything();
    let builder = Sandbox::builder().nexlayer_plan(Plan::Free);
    let builder = builder.nexlayer_pods_status(false);
    Play::new(NEXLAYER, Platform::Nexlayer, builder, seen).rows("free");
}

fn dployr(seen: &mut Seen) {
    let mut life = Play::new(DPLOYR, Platform::Dployr, Sandbox::builder(), seen);
    life.rows("life");
    life.ask_everything();
    life.command("nobody");
    life.ask_everything();
    life.command("wait 3600000");
    life.ask_too_much(60);
}

fn control_plane(seen: &mut Seen) {
    let builder = plane().dployr_build_node(false).dployr_neighbour(true);
    let mut life = Play::new(CONTROL_PLANE, Platform::Dployr, builder, seen);
    // The neighbour's service is alone in the list.
    for table in ["of_a_neighbour", "account", "life", "of_others"] {
        life.rows(table);
    }
    life.ask_everything();
    life.command("nobody");
    life.ask_everything();
    life.command("owner");
    life.command("wait 60000");
    life.ask_too_much(100);
}

fn nodion(seen: &mut Seen) {
    let mut life = Play::new(NODION, Platform::Nodion, Sandbox::builder(), seen);
    life.rows("life");
    life.ask_everything();
    life.command("nobody");
    life.ask_everything();
}

fn edgegap(seen: &mut Seen) {
    let mut life = Play::new(EDGEGAP, Platform::Edgegap, Sandbox::builder(), seen);
    life.rows("life");
    life.rows("one_more");
    let access = life.world.state.edgegap().access("");
    let (url, token) = access.self_stop(life.value("id"));
    life.name("self", &url);
    life.world.authorization = Some(token);
    life.rows("from_inside");
    life.ask_everything();
    life.command("nobody");
    life.ask_everything();
    let builder = Sandbox::builder().edgegap_capacity(0);
    Play::new(EDGEGAP, Platform::Edgegap, builder, seen).rows("full");
    let mut busy = Play::new(EDGEGAP, Platform::Edgegap, Sandbox::builder(), seen);
    for (line, limit) in [
        ("POST /v2/deployments NEW", 40),
        ("POST /v2/private-fleets/deployments FLEET", 40),
        ("GET /v1/status/nothing", 20),
        ("GET /v1/deployments", 10),
        ("GET /v2/private-fleets/{fleet}/hosts", 10),
    ] {
        busy.repeat(line, limit);
        busy.command("wait 1000");
    }
}

#[test]
fn every_status_of_every_operation_is_given_and_allowed() {
    let mut seen = Seen::default();
    nexlayer(&mut seen);
    dployr(&mut seen);
    control_plane(&mut seen);
    nodion(&mut seen);
    edgegap(&mut seen);

    let (mut operations, mut statuses, mut missing) = (0, BTreeSet::new(), Vec::new());
    for platform in Platform::ALL {
        for operation in Contract::of(platform).operations() {
            let id = operation.id();
            operations += 1;
            let own = |status: &u16| seen.has(platform, id, *status);
            if !operation
                .statuses()
                .any(|status| status < 400 && own(&status))
            {
                missing.push(format!("{platform} {id}: no success"));
            }
            for status in operation.statuses() {
                statuses.insert((platform.to_string(), id, status));
                if !own(&status) && !play::injected(platform, operation, status) {
                    missing.push(format!("{platform} {id} {status}"));
                }
            }
        }
    }
    assert_eq!(missing, [""; 0]);
    println!(
        "{0} of {0} statuses of {operations} operations are given and allowed, {1} of them by the platform's own rules",
        statuses.len(),
        seen.len()
    );
}

/// Times that no clock reaches, and deployments that take longer.
#[test]
fn no_time_is_too_long() {
    // With room for the waits of the test.
    let late = Duration::MAX - Duration::from_secs(1_000_000_000);
    for (begin, takes) in [
        (BEGIN, Duration::MAX),
        (late, Duration::ZERO),
        (late, Duration::MAX),
    ] {
        for (table, platform, builder) in [
            ("edgegap", Platform::Edgegap, Sandbox::builder()),
            ("nexlayer", Platform::Nexlayer, Sandbox::builder()),
            ("nodion", Platform::Nodion, Sandbox::builder()),
            ("documented", Platform::Dployr, Sandbox::builder()),
            ("control_plane", Platform::Dployr, plane()),
        ] {
            let builder = builder.ready_after(takes).rate_limits(false);
            let mut seen = Seen::default();
            let mut play = Play::new(EXTREMES, platform, builder, &mut seen);
            play.world.now = begin;
            play.rows(table);
            play.ask_everything();
            play.world.state.next_webhook(begin);
            for now in [begin, Duration::MAX] {
                play.world.state.webhooks_due(now);
                play.world.state.next_webhook(now);
            }
        }
    }
}
