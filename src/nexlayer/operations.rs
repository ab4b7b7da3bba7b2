//! Which method of this crate serves each operation of `specs/nexlayer.yaml`.

use crate::raw::nexlayer::Op;

/// No wildcard arm: an operation that is new in the spec does not compile until it is named here.
pub(crate) const fn wrapper(op: Op) -> &'static str {
    match op {
        Op::StartUserDeployment => "nexlayer::Client::start, nexlayer::Session::start",
        Op::UpdateUserDeployment => "nexlayer::Session::update",
        Op::ExtendDeployment => "nexlayer::Application::extend",
        Op::ClaimDeployment => "nexlayer::Application::claim",
        Op::GetReservations => "nexlayer::Session::reservations",
        Op::AddDeploymentReservation => "nexlayer::Application::reserve",
        Op::RemoveDeploymentReservation => "nexlayer::Application::unreserve",
        Op::RemoveReservations => "nexlayer::Session::remove_reservations",
        Op::GetPodsStatus => "nexlayer::Application::pods",
        Op::ValidateManifest => "nexlayer::Client::validate",
        Op::GetSchema => "nexlayer::Client::schema",
        Op::SendFeedback => "nexlayer::Session::feedback",
    }
}
