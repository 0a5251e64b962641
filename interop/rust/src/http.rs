//! As much HTTP/1.1 over a TCP stream as the matrix needs: one exchange per connection, bodies with a length, chunked,
//! or ended by the close of the connection, written and read piece by piece.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(20);
const MAX_HEAD_LINES: usize = 200;

/// The first line and the fields of a message, names in lower case.
pub struct Head {
    pub start: String,
    pub fields: Vec<(String, String)>,
}

impl Head {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
    }
}

/// Splits `http://host:port/path`.
pub fn split_url(url: &str) -> Result<(&str, &str)> {
    let rest = url.strip_prefix("http://").ok_or_else(|| bad("only http URLs"))?;
    Ok(rest.find('/').map_or((rest, "/"), |at| (&rest[..at], &rest[at..])))
}

pub fn connect(host: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(host)?;
    prepare(&stream)?;
    Ok(stream)
}

pub fn prepare(stream: &TcpStream) -> Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)
}

pub fn read_head(r: &mut BufReader<TcpStream>) -> Result<Head> {
    let start = read_line(r)?;
    let mut fields = Vec::new();
    for _ in 0..MAX_HEAD_LINES {
        let line = read_line(r)?;
        if line.is_empty() {
            return Ok(Head { start, fields });
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad("field line without colon"))?;
        fields.push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
    Err(bad("too many fields"))
}

fn read_line(r: &mut impl BufRead) -> Result<String> {
    let mut line = Vec::new();
    r.take(64 << 10).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(bad("line is cut short"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| bad("line is not UTF-8"))
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

enum Framing {
    Length(u64),
    Chunked { left: u64, first: bool, done: bool },
    Close,
}

/// The content of one message; a connection that closes early is an error, not an end.
pub struct BodyReader {
    source: BufReader<TcpStream>,
    framing: Framing,
    /// How many times the source had new bytes for us: more than one shows that the message came in pieces.
    pub reads: std::rc::Rc<std::cell::Cell<usize>>,
}

impl BodyReader {
    pub fn new(source: BufReader<TcpStream>, head: &Head, request: bool) -> Result<Self> {
        let framing = if head.field("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
            Framing::Chunked { left: 0, first: true, done: false }
        } else if let Some(length) = head.field("content-length") {
            Framing::Length(length.parse().map_err(|_| bad("content-length"))?)
        } else if request {
            Framing::Length(0)
        } else {
            Framing::Close
        };
        Ok(Self { source, framing, reads: std::rc::Rc::default() })
    }
}

impl Read for BodyReader {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if let Framing::Chunked { left: 0, first, done } = &mut self.framing {
            if *done {
                return Ok(0);
            }
            if !*first && !read_line(&mut self.source)?.is_empty() {
                return Err(bad("chunk is not followed by a line end"));
            }
            *first = false;
            let line = read_line(&mut self.source)?;
            let text = line.split(';').next().unwrap_or_default();
            let size = u64::from_str_radix(text.trim(), 16).map_err(|_| bad("chunk size"))?;
            if size == 0 {
                while !read_line(&mut self.source)?.is_empty() {}
                *done = true;
                return Ok(0);
            }
            self.framing = Framing::Chunked { left: size, first: false, done: false };
        }
        let limit = match &self.framing {
            Framing::Length(left) | Framing::Chunked { left, .. } => *left,
            Framing::Close => u64::MAX,
        };
        let want = usize::try_from(limit).unwrap_or(usize::MAX).min(out.len());
        if want == 0 {
            return Ok(0);
        }
        let got = self.source.read(&mut out[..want])?;
        self.reads.set(self.reads.get() + 1);
        match &mut self.framing {
            Framing::Length(left) | Framing::Chunked { left, .. } => {
                if got == 0 {
                    return Err(Error::new(ErrorKind::UnexpectedEof, "connection closed inside a message"));
                }
                *left -= got as u64;
            }
            Framing::Close => {}
        }
        Ok(got)
    }
}

/// Writes each piece as one chunk of the chunked transfer coding, at once.
pub struct ChunkWriter(pub TcpStream);

impl Write for ChunkWriter {
    fn write(&mut self, piece: &[u8]) -> Result<usize> {
        if piece.is_empty() {
            return Ok(0);
        }
        let mut line = format!("{:x}\r\n", piece.len()).into_bytes();
        line.extend_from_slice(piece);
        line.extend_from_slice(b"\r\n");
        self.0.write_all(&line)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

/// Ends a chunked body that was written through [`ChunkWriter`].
pub fn end_chunks(stream: &mut TcpStream) -> Result<()> {
    stream.write_all(b"0\r\n\r\n")
}
