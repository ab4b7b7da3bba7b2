//! A client in front of servers that really fail: see `cells` for the table.
#![cfg(all(
    feature = "dployr",
    feature = "edgegap",
    feature = "nexlayer",
    feature = "nodion"
))]

mod behaviour;
mod cancel;
mod cells;

#[test]
fn every_fault_is_handled_as_the_table_says() {
    let faults = cells::table::faults();
    let cells: usize = faults.iter().map(|fault| fault.cells.len()).sum();
    assert!(cells >= 150, "{cells} cells");
    assert!(cells::run::print_all(&faults), "see the lines above");
}
