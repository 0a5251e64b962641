//! Makes test vectors: reads a JSON array of jobs from standard input, writes one result for each.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use futures::io::{AllowStdIo, AsyncReadExt, AsyncWriteExt};
use ohttp::hpke::Kem;
use ohttp::{ClientRequest, KeyConfig, Server};
use serde_json::{Value, json};

use crate::{Failure, message, suites, versions};

pub fn run() -> Result<(), Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let jobs: Vec<Value> = serde_json::from_str(&text)?;
    std::panic::set_hook(Box::new(|_| {}));
    let results: Vec<Value> = jobs.iter().map(guarded).collect();
    println!("{}", json!({ "versions": versions(), "results": results }));
    Ok(())
}

/// A panic inside the crates is a result too.
fn guarded(job: &Value) -> Value {
    match catch_unwind(AssertUnwindSafe(|| run_job(job))) {
        Ok(Ok(result)) => result,
        Ok(Err(e)) => json!({ "error": e.to_string() }),
        Err(_) => json!({ "error": "panic", "panic": true }),
    }
}

fn run_job(job: &Value) -> Result<Value, Failure> {
    match job["op"].as_str().unwrap_or_default() {
        "bhttp-encode" => {
            let message = message::from_json(&job["message"])?;
            let bytes = message::encode(&message, message::mode(job["indeterminate"] == true))?;
            Ok(json!({ "hex": hex::encode(bytes) }))
        }
        "bhttp-decode" => Ok(json!({ "decoded": message::to_json(&message::decode(&bytes(job, "hex")?)?) })),
        "key-list" => Ok(json!({ "configs": KeyConfig::decode_list(&bytes(job, "hex")?)?.len() })),
        "gateway" => {
            let (request, context) = server(job)?.decapsulate(&bytes(job, "message")?)?;
            let sealed = context.encapsulate(&bytes(job, "response_bytes")?)?;
            Ok(json!({ "request": hex::encode(request), "encapsulated_response": hex::encode(sealed) }))
        }
        "exchange" => exchange(job),
        "gateway-chunked" => gateway_chunked(server(job)?, &bytes(job, "message")?, &pieces(job, "response_chunks")?),
        other => Err(format!("unknown op {other}").into()),
    }
}

fn bytes(job: &Value, name: &str) -> Result<Vec<u8>, Failure> {
    Ok(hex::decode(job[name].as_str().ok_or_else(|| format!("no {name}"))?)?)
}

fn pieces(job: &Value, name: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let list = job[name].as_array().ok_or_else(|| format!("no {name}"))?;
    list.iter().map(|v| Ok(hex::decode(v.as_str().unwrap_or_default())?)).collect()
}

fn server(job: &Value) -> Result<Server, Failure> {
    let number = |name: &str| job[name].as_u64().ok_or_else(|| format!("no {name}"));
    let kem = Kem::try_from(u16::try_from(number("kem_id")?)?)?;
    let suite = suites::suite(number("kdf_id")? as usize, number("aead_id")? as usize)?;
    let config = KeyConfig::derive(u8::try_from(number("key_id")?)?, kem, vec![suite], &bytes(job, "ikmR")?)?;
    Ok(Server::new(config)?)
}

fn exchange(job: &Value) -> Result<Value, Failure> {
    let server = server(job)?;
    let config = server.config().encode()?;
    let plain = bytes(job, "request")?;
    let answer = bytes(job, "response_bytes")?;
    let (message, client) = ClientRequest::from_encoded_config(&config)?.encapsulate(&plain)?;
    let (request, context) = server.decapsulate(&message)?;
    let sealed = context.encapsulate(&answer)?;
    if request != plain || client.decapsulate(&sealed)? != answer {
        return Err("exchange does not round-trip".into());
    }
    Ok(json!({
        "key_config": hex::encode(&config),
        "ohttp_keys": hex::encode(KeyConfig::encode_list(&[server.config()])?),
        "encapsulated_request": hex::encode(message),
        "encapsulated_response": hex::encode(sealed),
    }))
}

/// A sink that can be read while a writer owns it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().expect("one thread"))
    }
}

impl Write for Shared {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("one thread").extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Opens a chunked request and seals each piece as one chunk. The crate always ends with an empty final chunk.
fn gateway_chunked(server: Server, message: &[u8], response: &[Vec<u8>]) -> Result<Value, Failure> {
    let mut opener = server.decapsulate_stream(message);
    let mut request = Vec::new();
    block_on(opener.read_to_end(&mut request))?;
    let sink = Shared::default();
    let mut sealer = opener.response(AllowStdIo::new(sink.clone()))?;
    for piece in response {
        block_on(sealer.write_all(piece))?;
    }
    block_on(sealer.close())?;
    Ok(json!({ "request": hex::encode(request), "encapsulated_response": hex::encode(sink.take()) }))
}
