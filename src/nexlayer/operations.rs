//! Maps each operation of `specs/nexlayer.yaml` to the method that calls it.

use crate::raw::nexlayer::Op;

/// The path of the method, below `deploykit`.
///
/// No wildcard arm, so that a new operation fails to compile until it is mapped here.
pub(crate) const fn wrapper(op: Op) -> &'static str {
    match op {
        Op::StartUserDeployment => "nexlayer::Client::deploy, nexlayer::SessionHandle::deploy",
        Op::UpdateUserDeployment => "nexlayer::SessionHandle::update",
        Op::ExtendDeployment => "nexlayer::ApplicationHandle::extend",
        Op::ClaimDeployment => "nexlayer::ApplicationHandle::claim",
        Op::GetReservations => "nexlayer::Reservations::list",
        Op::AddDeploymentReservation => "nexlayer::ApplicationHandle::reserve",
        Op::RemoveDeploymentReservation => "nexlayer::ApplicationHandle::delete_reservation",
        Op::RemoveReservations => "nexlayer::Reservations::delete_all",
        Op::GetPodsStatus => "nexlayer::Pods::list",
        Op::ValidateManifest => "nexlayer::Client::validate",
        Op::GetSchema => "nexlayer::Client::schema",
        Op::SendFeedback => "nexlayer::SessionHandle::send_feedback",
    }
}
