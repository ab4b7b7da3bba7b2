//! The inputs that the fuzz targets keep, once more: what was found stays mended.

use super::seeds::{TARGETS, corpus};

#[test]
fn every_kept_input() {
    for (target, check) in TARGETS {
        let mut kept = 0;
        for entry in std::fs::read_dir(corpus(target)).unwrap() {
            let path = entry.unwrap().path();
            let input = std::fs::read(&path).unwrap();
            let caught = std::panic::catch_unwind(|| check(&input));
            assert!(caught.is_ok(), "{}", path.display());
            kept += 1;
        }
        assert!(kept > 5, "{kept} inputs for {target}");
    }
}
