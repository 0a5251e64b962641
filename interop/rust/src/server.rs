//! A gateway without a target: reflects the inner request, whole or in chunks.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use bhttp::{Message, StatusCode};
use futures::executor::block_on;
use futures::io::{AllowStdIo, AsyncReadExt, AsyncWriteExt};
use ohttp::{KeyConfig, Server};
use serde_json::json;

use crate::flags::Flags;
use crate::{Failure, http, message, suites};

#[derive(Clone)]
struct Gateway {
    keys: Vec<KeyConfig>,
    piece: usize,
    pause: Duration,
}

/// Key ids are 1, 2, ... in the order of `--kems`. The crate's server object holds one key, so the first byte of a
/// message chooses among several objects here.
pub fn run(args: &[String]) -> Result<(), Failure> {
    let flags = Flags::parse(args)?;
    let suite = suites::suite(1, flags.number("aead", 1)?)?;
    let mut keys = Vec::new();
    for (i, name) in flags.get("kems", "x25519,xwing").split(',').enumerate() {
        keys.push(KeyConfig::new(u8::try_from(i + 1)?, suites::kem(name)?, vec![suite])?);
    }
    let gateway = Gateway {
        keys,
        piece: flags.number("chunk-size", 1000)?.max(1),
        pause: Duration::from_millis(flags.number("pause-ms", 0)? as u64),
    };
    let listener = TcpListener::bind(flags.get("listen", "127.0.0.1:0"))?;
    println!(
        "{}",
        json!({ "listening": format!("http://{}", listener.local_addr()?), "keys": "/ohttp-keys", "gateway": "/gateway" })
    );
    if flags.has("parent-pipe") {
        thread::spawn(|| {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            std::process::exit(0);
        });
    }
    for stream in listener.incoming() {
        let (stream, gateway) = (stream?, gateway.clone());
        thread::spawn(move || {
            if let Err(e) = gateway.serve(stream) {
                eprintln!("{e}");
            }
        });
    }
    Ok(())
}

impl Gateway {
    fn serve(&self, mut stream: TcpStream) -> Result<(), Failure> {
        http::prepare(&stream)?;
        let mut source = BufReader::new(stream.try_clone()?);
        let head = http::read_head(&mut source)?;
        let mut words = head.start.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let kind = head.field("content-type").unwrap_or_default().to_string();
        let mut body = http::BodyReader::new(source, &head, true)?;
        let outcome = match (method, path, kind.as_str()) {
            ("GET", "/ohttp-keys", _) => {
                let list = KeyConfig::encode_list(&self.keys)?;
                return Ok(respond(&mut stream, 200, "application/ohttp-keys", &list)?);
            }
            ("POST", "/gateway", "message/ohttp-req") => self.whole(&mut stream, &mut body),
            ("POST", "/gateway", "message/ohttp-chunked-req") => self.chunked(&mut stream, &mut body),
            ("POST", "/gateway", _) => return Ok(respond(&mut stream, 415, "text/plain", b"media type")?),
            _ => return Ok(respond(&mut stream, 404, "text/plain", b"not found")?),
        };
        if let Err(e) = outcome {
            respond(&mut stream, 400, "text/plain", b"cannot open request")?;
            return Err(e);
        }
        Ok(())
    }

    fn server(&self, key_id: u8) -> Result<Server, Failure> {
        let at = usize::from(key_id).checked_sub(1).ok_or("key id 0")?;
        Ok(Server::new(self.keys.get(at).ok_or("unknown key id")?.clone())?)
    }

    fn whole(&self, stream: &mut TcpStream, body: &mut http::BodyReader) -> Result<(), Failure> {
        let mut sealed = Vec::new();
        body.read_to_end(&mut sealed)?;
        let server = self.server(*sealed.first().ok_or("empty message")?)?;
        let (request, context) = server.decapsulate(&sealed)?;
        let response = reflect(&message::decode(&request)?)?;
        let answer = context.encapsulate(&message::encode(&response, message::mode(false))?)?;
        Ok(respond(stream, 200, "message/ohttp-res", &answer)?)
    }

    /// Reads the whole request, then writes an indeterminate-length response in pieces, each its own sealed chunk and
    /// its own write to the socket.
    fn chunked(&self, stream: &mut TcpStream, body: &mut http::BodyReader) -> Result<(), Failure> {
        let mut id = [0];
        body.read_exact(&mut id)?;
        let source = AllowStdIo::new(std::io::Cursor::new(id).chain(body));
        let mut opener = self.server(id[0])?.decapsulate_stream(source);
        let mut request = Vec::new();
        block_on(opener.read_to_end(&mut request))?;
        let response = message::encode(&reflect(&message::decode(&request)?)?, message::mode(true))?;

        let mut sealer = opener.response(AllowStdIo::new(http::ChunkWriter(stream.try_clone()?)))?;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: message/ohttp-chunked-res\r\nIncremental: ?1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )?;
        for piece in response.chunks(self.piece) {
            block_on(sealer.write_all(piece))?;
            block_on(sealer.flush())?;
            if !self.pause.is_zero() {
                thread::sleep(self.pause);
            }
        }
        block_on(sealer.close())?;
        Ok(http::end_chunks(stream)?)
    }
}

fn respond(stream: &mut TcpStream, status: u16, kind: &str, body: &[u8]) -> std::io::Result<()> {
    let mut bytes = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes)
}

fn reflect(request: &Message) -> Result<Message, Failure> {
    let control = request.control();
    let text = |v: Option<&[u8]>| message::latin1(v.unwrap_or_default());
    let mut response = Message::response(StatusCode::try_from(200_u16)?);
    let url = format!("{}://{}{}", text(control.scheme()), text(control.authority()), text(control.path()));
    response.put_header("x-seen-method", text(control.method()));
    response.put_header("x-seen-url", url);
    response.put_header("x-seen-fields", request.header().len().to_string());
    for name in ["x-probe", "content-type"] {
        if let Some(value) = request.header().get(name.as_bytes()) {
            response.put_header(name, value);
        }
    }
    response.write_content(request.content());
    Ok(response)
}
