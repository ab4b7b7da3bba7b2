//! Players: they decide where a server starts.

use crate::error::{Error, Result};
use crate::raw::edgegap::{enums::UserType, types};
use std::net::IpAddr;

/// A player, known by IP address or by place.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum User {
    /// Known by address.
    Ip(IpAddr),
    /// Known by place, in degrees.
    #[non_exhaustive]
    Coordinates {
        /// Degrees north, -90 to 90.
        latitude: f64,
        /// Degrees east, -180 to 180.
        longitude: f64,
    },
}

impl User {
    /// A player at this address, IPv4 or IPv6.
    pub fn ip(address: IpAddr) -> Self {
        Self::Ip(address)
    }

    /// A player at this place: degrees north (-90 to 90) and degrees east (-180 to 180).
    ///
    /// They are checked when the deployment is sent.
    pub fn coordinates(latitude: f64, longitude: f64) -> Self {
        Self::Coordinates {
            latitude,
            longitude,
        }
    }

    /// Refuses places that are not on earth.
    pub(super) fn check(user: &types::User) -> Result<()> {
        let place = &user.user_data;
        within("latitude", place.latitude, 90.0)?;
        within("longitude", place.longitude, 180.0)
    }
}

impl From<User> for types::User {
    fn from(user: User) -> Self {
        let mut user_data = types::UserData::default();
        let user_type = match user {
            User::Ip(address) => {
                user_data.ip_address = Some(address.to_string());
                UserType::IpAddress
            }
            User::Coordinates {
                latitude,
                longitude,
            } => {
                user_data.latitude = Some(latitude);
                user_data.longitude = Some(longitude);
                UserType::GeoCoordinates
            }
        };
        Self {
            user_type,
            user_data,
        }
    }
}

impl From<IpAddr> for User {
    fn from(address: IpAddr) -> Self {
        Self::ip(address)
    }
}

/// NaN is in no range, so it is refused here too.
fn within(what: &str, degrees: Option<f64>, bound: f64) -> Result<()> {
    match degrees {
        Some(degrees) if !(-bound..=bound).contains(&degrees) => Err(Error::invalid_request(
            format!("the {what} {degrees} is not between -{bound} and {bound} degrees"),
        )),
        _ => Ok(()),
    }
}
