//! Binary HTTP messages from and to JSON.

use std::io::Cursor;

use bhttp::{FieldSection, Message, Mode, StatusCode};
use serde_json::{Value, json};

use crate::Failure;

pub fn mode(indeterminate: bool) -> Mode {
    if indeterminate { Mode::IndeterminateLength } else { Mode::KnownLength }
}

pub fn encode(message: &Message, mode: Mode) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    message.write_bhttp(mode, &mut out)?;
    Ok(out)
}

pub fn decode(bytes: &[u8]) -> Result<Message, Failure> {
    Ok(Message::read_bhttp(&mut Cursor::new(bytes))?)
}

/// Splits an absolute URL into scheme, authority and path with query, without changing any of them.
pub fn request(method: &str, url: &str) -> Result<Message, Failure> {
    let (scheme, rest) = url.split_once("://").ok_or("URL without scheme")?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| (&rest[..at], &rest[at..]));
    Ok(Message::request(method.into(), scheme.into(), authority.into(), path.into()))
}

/// Builds a message from the `decoded` form of the test vectors.
pub fn from_json(v: &Value) -> Result<Message, Failure> {
    let text = |name: &str| v[name].as_str().unwrap_or_default().as_bytes().to_vec();
    let mut message = if v["type"] == "request" {
        Message::request(text("method"), text("scheme"), text("authority"), text("path"))
    } else {
        Message::response(StatusCode::try_from(v["status"].as_u64().ok_or("no status")?)?)
    };
    for (name, value) in pairs(&v["headers"]) {
        message.put_header(name, value);
    }
    for (name, value) in pairs(&v["trailers"]) {
        message.put_trailer(name, value);
    }
    message.write_content(hex::decode(v["content"].as_str().unwrap_or_default())?);
    Ok(message)
}

fn pairs(v: &Value) -> Vec<(Vec<u8>, Vec<u8>)> {
    let bytes = |v: &Value| v.as_str().unwrap_or_default().as_bytes().to_vec();
    v.as_array().into_iter().flatten().map(|p| (bytes(&p[0]), bytes(&p[1]))).collect()
}

/// The `decoded` form of the test vectors; field bytes are read as Latin-1.
pub fn to_json(message: &Message) -> Value {
    let control = message.control();
    let text = |v: Option<&[u8]>| latin1(v.unwrap_or_default());
    let headers = fields(message.header());
    let trailers = fields(message.trailer());
    let content = hex::encode(message.content());
    match control.status() {
        Some(status) => json!({
            "type": "response",
            "status": status.code(),
            "headers": headers,
            "content": content,
            "trailers": trailers,
            "informational": message.informational().iter().map(|i| json!({
                "status": i.status().code(),
                "headers": fields(i.fields()),
            })).collect::<Vec<_>>(),
        }),
        None => json!({
            "type": "request",
            "method": text(control.method()),
            "scheme": text(control.scheme()),
            "authority": text(control.authority()),
            "path": text(control.path()),
            "headers": headers,
            "content": content,
            "trailers": trailers,
        }),
    }
}

pub fn fields(section: &FieldSection) -> Vec<Value> {
    section.iter().map(|f| json!([latin1(f.name()), latin1(f.value())])).collect()
}

pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}
