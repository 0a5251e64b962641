//! A client: fetches the key list, encapsulates one request, posts it to a relay or gateway, opens the answer.

use std::io::{BufReader, Read, Write};

use bhttp::Message;
use bhttp::stream::AsyncReadMessage;
use futures::executor::block_on;
use futures::io::{AllowStdIo, AsyncReadExt, AsyncWriteExt};
use ohttp::ClientRequest;
use serde_json::{Value, json};

use crate::flags::Flags;
use crate::{Failure, http, message, suites};

pub fn run(args: &[String]) -> Result<(), Failure> {
    let flags = Flags::parse(args)?;
    let kem = suites::kem(flags.get("kem", "x25519"))?;
    let list = get(flags.get("keys", ""))?;
    let config = suites::choose(&list, kem, flags.number("aead", 0)?)?;
    let client = ClientRequest::from_encoded_config(&config)?;
    let suite = &config[config.len() - 4..];
    let request = build_request(&flags)?;
    let bytes = message::encode(&request, message::mode(flags.has("indeterminate")))?;
    let mut result =
        if flags.has("chunked") { chunked(&flags, client, &bytes)? } else { whole(&flags, client, &bytes)? };
    let id = |at: usize| u16::from_be_bytes([suite[at], suite[at + 1]]);
    result["suite"] = json!([u16::from(kem), id(0), id(2)]);
    println!("{result}");
    Ok(())
}

fn build_request(flags: &Flags) -> Result<Message, Failure> {
    let mut request = message::request(flags.get("method", "GET"), flags.get("url", "https://target.test/"))?;
    for line in flags.all("header") {
        let (name, value) = line.split_once(':').ok_or("--header needs name:value")?;
        request.put_header(name.trim().to_ascii_lowercase(), value.trim());
    }
    let size = flags.number("body-size", 0)?;
    if size > 0 {
        request.write_content(b"0123456789abcdef".iter().copied().cycle().take(size).collect::<Vec<u8>>());
    } else {
        request.write_content(flags.get("body", ""));
    }
    Ok(request)
}

fn get(url: &str) -> Result<Vec<u8>, Failure> {
    let (host, path) = http::split_url(url)?;
    let mut stream = http::connect(host)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/ohttp-keys\r\nConnection: close\r\n\r\n"
    )?;
    let mut source = BufReader::new(stream);
    let head = http::read_head(&mut source)?;
    if head.status() != 200 || head.field("content-type") != Some("application/ohttp-keys") {
        return Err(format!("key list answer is {}", head.start).into());
    }
    let mut body = Vec::new();
    http::BodyReader::new(source, &head, false)?.read_to_end(&mut body)?;
    Ok(body)
}

fn whole(flags: &Flags, client: ClientRequest, request: &[u8]) -> Result<Value, Failure> {
    let (sealed, context) = client.encapsulate(request)?;
    let (host, path) = http::split_url(flags.get("post", ""))?;
    let mut stream = http::connect(host)?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: message/ohttp-req\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        sealed.len()
    )?;
    stream.write_all(&sealed)?;
    let mut source = BufReader::new(stream);
    let head = http::read_head(&mut source)?;
    let mut body = Vec::new();
    http::BodyReader::new(source, &head, false)?.read_to_end(&mut body)?;
    check_outer(&head, "message/ohttp-res", &body)?;
    let opened = context.decapsulate(&body)?;
    let response = message::decode(&opened)?;
    let mut out = message::to_json(&response);
    finish(&mut out, &head, response.content());
    Ok(out)
}

/// Sends the request as sealed chunks of `--chunk-size` plaintext bytes, then reads the response as it comes.
///
/// With ChaCha20-Poly1305 the crate panics here: it keeps 16 bytes for a response nonce of 32.
fn chunked(flags: &Flags, client: ClientRequest, request: &[u8]) -> Result<Value, Failure> {
    let (host, path) = http::split_url(flags.get("post", ""))?;
    let mut stream = http::connect(host)?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: message/ohttp-chunked-req\r\nIncremental: ?1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )?;
    let writer = AllowStdIo::new(http::ChunkWriter(stream.try_clone()?));
    let mut sealer = client.encapsulate_stream(writer)?;
    let size = flags.number("chunk-size", 16384)?.max(1);
    for piece in request.chunks(size) {
        block_on(sealer.write_all(piece))?;
        block_on(sealer.flush())?;
    }
    block_on(sealer.close())?;
    http::end_chunks(&mut stream)?;

    let mut source = BufReader::new(stream);
    let head = http::read_head(&mut source)?;
    let mut body = http::BodyReader::new(source, &head, false)?;
    let reads = body.reads.clone();
    if head.status() != 200 || head.field("content-type") != Some("message/ohttp-chunked-res") {
        let mut text = Vec::new();
        body.read_to_end(&mut text)?;
        check_outer(&head, "message/ohttp-chunked-res", &text)?;
    }
    let mut opened = sealer.response(AllowStdIo::new(body))?;
    let mut plain = Vec::new();
    let mut parsed = block_on(read_response(&mut opened, &mut plain))?;
    finish(&mut parsed, &head, &plain);
    parsed["reads"] = reads.get().into();
    parsed["incremental"] = head.field("incremental").into();
    Ok(parsed)
}

async fn read_response<S>(source: &mut S, content: &mut Vec<u8>) -> Result<Value, Failure>
where
    S: futures::io::AsyncRead + Unpin,
{
    // Informational responses are read by the crate as part of the header.
    let mut incoming = Message::async_read(&mut *source);
    let header = incoming.header().await?;
    incoming.body()?.read_to_end(content).await?;
    let trailer = incoming.trailer().await?;
    let mut rest = Vec::new();
    source.read_to_end(&mut rest).await?;
    if rest.iter().any(|b| *b != 0) {
        return Err("padding is not zero".into());
    }
    Ok(json!({
        "status": header.control().status().map(|s| s.code()),
        "headers": message::fields(&header),
        "trailers": message::fields(&trailer),
    }))
}

fn check_outer(head: &http::Head, content_type: &str, body: &[u8]) -> Result<(), Failure> {
    if head.status() == 200 && head.field("content-type") == Some(content_type) {
        return Ok(());
    }
    let text = message::latin1(&body[..body.len().min(200)]);
    Err(format!("outer answer is {} {:?}: {text}", head.status(), head.field("content-type")).into())
}

fn finish(out: &mut Value, head: &http::Head, content: &[u8]) {
    out["outerStatus"] = head.status().into();
    out["outerType"] = head.field("content-type").into();
    out["bodyBytes"] = content.len().into();
    out["body"] = message::latin1(&content[..content.len().min(4096)]).into();
    if let Some(map) = out.as_object_mut() {
        map.remove("content");
        map.remove("type");
    }
}
