//! Generates a raw client from `specs/<api>.yaml` for each enabled platform, and the table of operations.
//!
//! The passes are in `build/`. This file lists the specs and writes the results to `OUT_DIR`.

#[path = "build/mod.rs"]
mod passes;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let enabled = [
        ("nexlayer", cfg!(feature = "nexlayer")),
        ("dployr", cfg!(feature = "dployr")),
        ("nodion", cfg!(feature = "nodion")),
        ("edgegap", cfg!(feature = "edgegap")),
    ];
    let mut files = Vec::new();
    let [mut operations, mut paces, mut examples] = ["&[\n", "&[\n", "&[\n"].map(str::to_owned);
    let mut problems = Vec::new();
    for (api, is_enabled) in enabled {
        let file = format!("specs/{api}.yaml");
        println!("cargo::rerun-if-changed={file}");
        if !is_enabled {
            continue;
        }
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                problems.push(format!("{file}: cannot read the spec: {error}"));
                continue;
            }
        };
        match passes::run(api, &file, &text) {
            Ok(generated) => {
                files.push((format!("{api}.rs"), generated.client));
                files.push((format!("{api}_op.rs"), generated.op));
                operations.push_str(&generated.entries);
                paces.push_str(&generated.general_pace);
                examples.push_str(&generated.examples);
            }
            Err(invalid) => problems.extend(invalid.lines()),
        }
    }
    files.push(("operations.rs".to_owned(), operations + "]\n"));
    files.push(("general_paces.rs".to_owned(), paces + "]\n"));
    // Included by the crate only with the feature `testing`.
    files.push(("examples.rs".to_owned(), examples + "]\n"));
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    for (name, text) in files {
        if let Err(error) = std::fs::write(out.join(&name), text) {
            problems.push(format!("{name}: cannot write to OUT_DIR: {error}"));
        }
    }
    // Cargo fails after these lines. With an exit status, it would print each a second time.
    for problem in &problems {
        println!("cargo::error={problem}");
    }
}
