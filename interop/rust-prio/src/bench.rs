//! CPU time of one step on one report, from encoded input to encoded output.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use prio::codec::{Decode, Encode};
use prio::topology::ping_pong::PingPongState;
use serde_json::{Value, json};

use crate::Failure;
use crate::job::{array, bytes, number};
use crate::party::{Party, Share, Steps};

/// Microseconds of shard, of the leader's first step and of the helper's only one, best of several slices.
pub fn run<V: Steps>(party: &Party<V>, job: &Value) -> Result<Value, Failure> {
    let slices: u32 = number(&job["slices"])?;
    let slice = Duration::from_millis(number(&job["slice_ms"])?);
    let (key, ctx, nonce) = (array(job, "verify_key")?, bytes(job, "ctx")?, array(job, "nonce")?);
    let measurement = (party.measurement)(&job["measurement"])?;
    let parameter = V::AggregationParam::get_decoded(&bytes(job, "agg_param")?)?;

    let (public_share, mut shares) = party.shard(&ctx, &measurement, &nonce)?;
    let helper = Share { nonce, public_share: public_share.clone(), input_share: shares.remove(1) };
    let leader = Share { nonce, public_share, input_share: shares.remove(0) };
    let (_, inbound) = party.leader_init(&key, &ctx, &parameter, &leader)?;

    let shard = best(slices, slice, || party.shard(&ctx, &measurement, &nonce).map(|_| ()))?;
    let leader_init = best(slices, slice, || party.leader_init(&key, &ctx, &parameter, &leader).map(|_| ()))?;
    let helper_init = best(slices, slice, || {
        match party.helper_init(&key, &ctx, &parameter, &helper, &inbound)? {
            PingPongState::Continued(next) => next.message.get_encoded()?,
            PingPongState::FinishedWithOutbound { message, .. } => message.get_encoded()?,
            PingPongState::Finished { .. } => Vec::new(),
        };
        Ok(())
    })?;
    Ok(json!({ "shard": shard, "leader_init": leader_init, "helper_init": helper_init }))
}

/// Best CPU microseconds of one call: other work on the machine can only add to it.
fn best(slices: u32, slice: Duration, mut step: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let mut best = f64::INFINITY;
    // The first slice warms up.
    for number in 0..=slices {
        let (until, before) = (Instant::now() + slice, ProcessTime::now());
        let mut calls = 0;
        loop {
            for _ in 0..4 {
                step()?;
            }
            calls += 4;
            if Instant::now() >= until {
                break;
            }
        }
        let micros = before.elapsed().as_secs_f64() * 1e6 / f64::from(calls);
        best = if number == 0 { best } else { best.min(micros) };
    }
    Ok(best)
}
