//! Names and identifiers of the suites that the `ohttp` crate supports with its pure Rust backend.

use ohttp::hpke::{Aead, Kdf, Kem};
use ohttp::{KeyConfig, SymmetricSuite};

use crate::Failure;

pub fn kem(name: &str) -> Result<Kem, Failure> {
    match name {
        "x25519" => Ok(Kem::X25519Sha256),
        "p256" => Ok(Kem::P256Sha256),
        "xwing" => Ok(Kem::XWing),
        _ => Err(format!("unknown KEM {name}").into()),
    }
}

pub fn suite(kdf: usize, aead: usize) -> Result<SymmetricSuite, Failure> {
    let kdf = Kdf::try_from(u16::try_from(kdf)?)?;
    let aead = Aead::try_from(u16::try_from(aead)?)?;
    Ok(SymmetricSuite::new(kdf, aead))
}

/// Takes from an `application/ohttp-keys` list (RFC 9458 §3.2) the first entry with this KEM and, unless 0, this AEAD.
///
/// The crate parses the list but then tells neither KEM nor key id of an entry and its own chooser takes the last one,
/// so entries are walked here by their length prefix, each checked by the crate, and rewritten with one suite.
pub fn choose(list: &[u8], kem: Kem, aead: usize) -> Result<Vec<u8>, Failure> {
    KeyConfig::decode_list(list)?;
    let mut rest = list;
    while rest.len() >= 2 {
        let length = usize::from(rest[0]) << 8 | usize::from(rest[1]);
        let entry = rest.get(2..2 + length).ok_or("key list is cut short")?;
        rest = &rest[2 + length..];
        let suites_at = 3 + kem.n_pk() + 2;
        if entry.len() < suites_at || entry[1..3] != u16::from(kem).to_be_bytes() {
            continue;
        }
        for pair in entry[suites_at..].chunks_exact(4) {
            let aead_id = usize::from(pair[2]) << 8 | usize::from(pair[3]);
            if pair[..2] == [0, 1] && (aead == 0 && (aead_id == 1 || aead_id == 3) || aead == aead_id) {
                let mut single = entry[..suites_at - 2].to_vec();
                single.extend_from_slice(&[0, 4]);
                single.extend_from_slice(pair);
                return Ok(single);
            }
        }
    }
    Err("key list has no usable entry for this KEM".into())
}
