//! `--name value` arguments and `--name` switches.

use crate::Failure;

pub struct Flags(Vec<(String, String)>);

const SWITCHES: &[&str] = &["chunked", "indeterminate", "parent-pipe"];

impl Flags {
    pub fn parse(args: &[String]) -> Result<Self, Failure> {
        let mut out = Vec::new();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let name = arg.strip_prefix("--").ok_or_else(|| format!("unexpected argument {arg}"))?;
            let value = if SWITCHES.contains(&name) {
                String::new()
            } else {
                rest.next().ok_or_else(|| format!("--{name} needs a value"))?.clone()
            };
            out.push((name.to_string(), value));
        }
        Ok(Self(out))
    }

    pub fn get<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.all(name).last().unwrap_or(default)
    }

    pub fn number(&self, name: &str, default: usize) -> Result<usize, Failure> {
        match self.all(name).last() {
            Some(text) => Ok(text.parse()?),
            None => Ok(default),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    pub fn all<'a>(&'a self, name: &str) -> std::vec::IntoIter<&'a str> {
        let values: Vec<&str> = self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
        values.into_iter()
    }
}
