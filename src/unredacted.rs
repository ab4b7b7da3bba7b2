//! A switch for the test of the canaries: built with `--cfg deploykit_unredacted`, the library shows
//! what it hides otherwise, and that test has to see it.
//!
//! It is no feature, so that nothing in a tree of dependencies can turn it on.

/// Whether what is hidden in this kind of place is shown.
#[cfg(not(deploykit_unredacted))]
pub(crate) const fn shows(_place: &str) -> bool {
    false
}

/// Whether what is hidden in this kind of place is shown: in those that `DEPLOYKIT_UNREDACTED` names,
/// or in all.
#[cfg(deploykit_unredacted)]
pub(crate) fn shows(place: &str) -> bool {
    match std::env::var("DEPLOYKIT_UNREDACTED") {
        Ok(places) => places.split(',').any(|named| named == place),
        Err(_) => true,
    }
}
