//! Members of a job. Bytes are hexadecimal; numbers that may be large are decimal text.

use std::str::FromStr;

use serde_json::Value;

use crate::Failure;

pub fn bytes(job: &Value, name: &str) -> Result<Vec<u8>, Failure> {
    Ok(hex::decode(job[name].as_str().ok_or_else(|| format!("no {name}"))?)?)
}

pub fn array<const N: usize>(job: &Value, name: &str) -> Result<[u8; N], Failure> {
    bytes(job, name)?.try_into().map_err(|_| format!("{name} has another length").into())
}

pub fn list(job: &Value, name: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let values = job[name].as_array().ok_or_else(|| format!("no {name}"))?;
    values.iter().map(|value| Ok(hex::decode(value.as_str().ok_or("no text")?)?)).collect()
}

pub fn number<T: FromStr>(value: &Value) -> Result<T, Failure> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().map_err(|_| format!("{text} is no number here").into())
}

pub fn numbers<T: FromStr>(value: &Value) -> Result<Vec<T>, Failure> {
    value.as_array().ok_or("no list of numbers")?.iter().map(number).collect()
}

pub fn bits(value: &Value) -> Result<Vec<bool>, Failure> {
    let values = value.as_array().ok_or("no list of bits")?;
    values.iter().map(|bit| bit.as_bool().ok_or_else(|| "no bit".into())).collect()
}
