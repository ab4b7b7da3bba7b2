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

    pub(super) fn to_raw(self) -> Result<types::User> {
        match self {
            Self::Ip(address) => Ok(types::User {
                user_type: UserType::IpAddress,
                user_data: types::UserData {
                    ip_address: Some(address.to_string()),
                    ..types::UserData::default()
                },
            }),
            Self::Coordinates {
                latitude,
                longitude,
            } => {
                within("latitude", latitude, 90.0)?;
                within("longitude", longitude, 180.0)?;
                Ok(types::User {
                    user_type: UserType::GeoCoordinates,
                    user_data: types::UserData {
                        latitude: Some(latitude),
                        longitude: Some(longitude),
                        ..types::UserData::default()
                    },
                })
            }
        }
    }
}

impl From<IpAddr> for User {
    fn from(address: IpAddr) -> Self {
        Self::ip(address)
    }
}

/// NaN is in no range, so it is refused here too.
fn within(what: &str, degrees: f64, bound: f64) -> Result<()> {
    if (-bound..=bound).contains(&degrees) {
        return Ok(());
    }
    Err(Error::invalid_request(format!(
        "the {what} {degrees} is not between -{bound} and {bound} degrees"
    )))
}
