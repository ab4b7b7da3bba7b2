//! The checks of the property tests, for the fuzz targets.

#[path = "../../tests/properties/checks/mod.rs"]
pub mod checks;
