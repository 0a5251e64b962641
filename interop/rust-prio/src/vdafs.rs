//! The VDAFs of the crate by the names that the jobs use, and how measurements and results are written.

use std::fmt::Display;

use prio::idpf::IdpfInput;
use prio::vdaf::poplar1::Poplar1;
use prio::vdaf::prio3::Prio3;
use serde_json::{Value, json};

use crate::Failure;
use crate::job::{bits, number, numbers};
use crate::party::{Party, Peer};

/// Makes the VDAF that a job describes.
pub fn peer(vdaf: &Value) -> Result<Box<dyn Peer>, Failure> {
    let size = |name: &str| number::<usize>(&vdaf[name]);
    Ok(match vdaf["kind"].as_str().unwrap_or_default() {
        "count" => Party::boxed(Prio3::new_count(2)?, |value| Ok(number::<u64>(value)? == 1), one),
        "sum" => Party::boxed(Prio3::new_sum(2, number(&vdaf["maxMeasurement"])?)?, number, one),
        "sumVec" => {
            let vdaf = Prio3::new_sum_vec(2, number(&vdaf["maxMeasurement"])?, size("length")?, size("chunkLength")?)?;
            Party::boxed(vdaf, numbers, many)
        }
        "histogram" => Party::boxed(Prio3::new_histogram(2, size("length")?, size("chunkLength")?)?, number, many),
        "multihotCountVec" => {
            let vdaf = Prio3::new_multihot_count_vec(2, size("length")?, size("maxWeight")?, size("chunkLength")?)?;
            Party::boxed(vdaf, bits, many)
        }
        "l1BoundSum" => {
            let vdaf = Prio3::new_l1_bound_sum(2, number(&vdaf["maxValue"])?, size("length")?, size("chunkLength")?)?;
            Party::boxed(vdaf, numbers, many)
        }
        "poplar1" => {
            let vdaf = Poplar1::new_turboshake128(size("bits")?);
            Party::boxed(vdaf, |value| Ok(IdpfInput::from_bools(&bits(value)?)), many)
        }
        other => return Err(format!("no VDAF {other}").into()),
    })
}

fn one(result: impl Display) -> Value {
    json!(result.to_string())
}

fn many<T: Display>(result: Vec<T>) -> Value {
    result.iter().map(ToString::to_string).collect()
}
