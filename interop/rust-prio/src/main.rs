//! The Rust side of the VDAF rows: reads one job as a line of JSON, does it with the registry crate `prio`, writes one
//! line with the result. States of aggregators stay here; the other side names them by number.

mod bench;
mod job;
mod party;
mod vdafs;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::party::Peer;

/// Any failure; it becomes the `error` of the job's result.
pub type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Failure> {
    let mut peers: HashMap<String, Box<dyn Peer>> = HashMap::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let result = guarded(&mut peers, &line?);
        writeln!(out, "{result}")?;
        out.flush()?;
    }
    Ok(())
}

/// A panic inside of the crate is a result too.
fn guarded(peers: &mut HashMap<String, Box<dyn Peer>>, line: &str) -> Value {
    match catch_unwind(AssertUnwindSafe(|| run(peers, line))) {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => json!({ "error": error.to_string() }),
        Err(_) => json!({ "error": "panic", "panic": true }),
    }
}

fn run(peers: &mut HashMap<String, Box<dyn Peer>>, line: &str) -> Result<Value, Failure> {
    let job: Value = serde_json::from_str(line)?;
    if job["op"] == "version" {
        return Ok(json!({ "prio": version("prio"), "rustc": option_env!("RUSTC_VERSION") }));
    }
    let name = job["vdaf"].to_string();
    if !peers.contains_key(&name) {
        peers.insert(name.clone(), vdafs::peer(&job["vdaf"])?);
    }
    peers.get_mut(&name).ok_or("no such VDAF")?.run(&job)
}

/// Version of a crate as Cargo.lock has it.
fn version(name: &str) -> String {
    let marker = format!("name = \"{name}\"\nversion = \"");
    let rest = include_str!("../Cargo.lock").split_once(&marker).map(|(_, rest)| rest);
    rest.and_then(|text| text.split('"').next()).unwrap_or_default().into()
}
