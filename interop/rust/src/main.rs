//! The Rust side of the interop matrix: a client and a gateway over plain TCP, and a maker of test vectors, with
//! Oblivious HTTP done by the registry crates `ohttp` and `bhttp`.

mod client;
mod flags;
mod http;
mod message;
mod server;
mod suites;
mod vectors;

use std::process::ExitCode;

use serde_json::json;

/// Any failure; each command reports it as one JSON line and exit code 1.
pub type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    ohttp::init();
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let outcome = match command.as_str() {
        "client" => client::run(&rest),
        "server" => server::run(&rest),
        "vectors" => vectors::run(),
        "version" => {
            println!("{}", versions());
            Ok(())
        }
        _ => {
            eprintln!("usage: ohttp-rust-peer client|server|vectors|version [flags]");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            println!("{}", json!({ "error": e.to_string() }));
            ExitCode::FAILURE
        }
    }
}

/// The crates that decide what a result means, as pinned in Cargo.lock.
pub fn versions() -> serde_json::Value {
    let lock = include_str!("../Cargo.lock");
    let mut out = serde_json::Map::new();
    for name in ["ohttp", "bhttp", "hpke"] {
        let marker = format!("name = \"{name}\"\nversion = \"");
        if let Some(start) = lock.find(&marker) {
            let version = lock[start + marker.len()..].split('"').next();
            out.insert(name.into(), version.unwrap_or_default().into());
        }
    }
    out.into()
}
