//! Generates one raw client per enabled API from `specs/<api>.yaml`, and the table of operations.
//!
//! The passes stand under `build/`; this file says only which specs there are and where things go.

#[path = "build/mod.rs"]
mod passes;

fn main() {
    use std::{fs, path::PathBuf, process};

    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let enabled = [
        ("nexlayer", cfg!(feature = "nexlayer")),
        ("dployr", cfg!(feature = "dployr")),
        ("nodion", cfg!(feature = "nodion")),
        ("edgegap", cfg!(feature = "edgegap")),
    ];
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let mut entries = String::new();
    let mut examples = String::new();
    let mut problems = Vec::new();
    for (api, on) in enabled {
        let file = format!("specs/{api}.yaml");
        println!("cargo::rerun-if-changed={file}");
        if !on {
            continue;
        }
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                problems.push(format!("{file}: it cannot be read: {error}"));
                continue;
            }
        };
        // Nothing of it is in a build without stand-ins for the platforms.
        if cfg!(feature = "testing") {
            match passes::examples::render(api, &file, &text) {
                Ok(entries) => examples.push_str(&entries),
                // It stops the other passes as well, which then say so.
                Err(broken) => drop(broken),
            }
        }
        match passes::run(api, &file, &text) {
            Ok(generated) => {
                let files = [
                    (format!("{api}.rs"), generated.client),
                    (format!("{api}_op.rs"), generated.op),
                ];
                for (name, text) in files {
                    if let Err(error) = fs::write(out.join(&name), text) {
                        problems.push(format!("{name}: it cannot be written: {error}"));
                    }
                }
                entries.push_str(&generated.entries);
            }
            Err(broken) => problems.extend(broken.lines()),
        }
    }
    let table = format!("&[\n{entries}]\n");
    if let Err(error) = fs::write(out.join("operations.rs"), table) {
        problems.push(format!("operations.rs: it cannot be written: {error}"));
    }
    if cfg!(feature = "testing") {
        let table = format!("&[\n{examples}]\n");
        if let Err(error) = fs::write(out.join("examples.rs"), table) {
            problems.push(format!("examples.rs: it cannot be written: {error}"));
        }
    }
    for problem in &problems {
        println!("cargo::error={problem}");
    }
    if !problems.is_empty() {
        process::exit(1);
    }
}
