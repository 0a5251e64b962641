//! One VDAF, in every role of the ping-pong topology, with everything that travels encoded.

use prio::codec::{Decode, Encode, ParameterizedDecode};
use prio::topology::ping_pong::{PingPongContinuation, PingPongMessage, PingPongState, PingPongTopology};
use prio::vdaf::{Aggregator, Client, Collector};
use serde_json::{Value, json};

use crate::job::{array, bytes, list, number};
use crate::{Failure, bench};

/// What a job needs of a VDAF, whichever it is.
pub trait Peer {
    fn run(&mut self, job: &Value) -> Result<Value, Failure>;
}

/// How a VDAF has to be for jobs.
pub trait Steps: Client<16> + Aggregator<32, 16> + Collector + 'static {}
impl<V: Client<16> + Aggregator<32, 16> + Collector + 'static> Steps for V {}

/// A report as one of the aggregators gets it.
pub struct Share {
    pub nonce: [u8; 16],
    pub public_share: Vec<u8>,
    pub input_share: Vec<u8>,
}

/// A VDAF with the states of reports between their steps.
pub struct Party<V: Steps> {
    pub vdaf: V,
    pub measurement: fn(&Value) -> Result<V::Measurement, Failure>,
    result: fn(V::AggregateResult) -> Value,
    states: Vec<V::VerifyState>,
}

impl<V: Steps> Party<V> {
    pub fn boxed(
        vdaf: V,
        measurement: fn(&Value) -> Result<V::Measurement, Failure>,
        result: fn(V::AggregateResult) -> Value,
    ) -> Box<dyn Peer> {
        Box::new(Self { vdaf, measurement, result, states: Vec::new() })
    }

    pub fn shard(
        &self,
        ctx: &[u8],
        measurement: &V::Measurement,
        nonce: &[u8; 16],
    ) -> Result<(Vec<u8>, Vec<Vec<u8>>), Failure> {
        let (public_share, input_shares) = self.vdaf.shard(ctx, measurement, nonce)?;
        let encoded: Result<Vec<_>, _> = input_shares.iter().map(Encode::get_encoded).collect();
        Ok((public_share.get_encoded()?, encoded?))
    }

    pub fn leader_init(
        &self,
        key: &[u8; 32],
        ctx: &[u8],
        parameter: &V::AggregationParam,
        share: &Share,
    ) -> Result<(V::VerifyState, Vec<u8>), Failure> {
        let (public_share, input_share) = self.decode(share, 0)?;
        let continued = self.vdaf.leader_initialized(key, ctx, parameter, &share.nonce, &public_share, &input_share)?;
        Ok((continued.verifier_state, continued.message.get_encoded()?))
    }

    pub fn helper_init(
        &self,
        key: &[u8; 32],
        ctx: &[u8],
        parameter: &V::AggregationParam,
        share: &Share,
        inbound: &[u8],
    ) -> Result<PingPongState<V::VerifyState, V::OutputShare>, Failure> {
        let (public_share, input_share) = self.decode(share, 1)?;
        let message = PingPongMessage::get_decoded(inbound)?;
        let next: PingPongContinuation<32, 16, V> =
            self.vdaf.helper_initialized(key, ctx, parameter, &share.nonce, &public_share, &input_share, &message)?;
        Ok(next.evaluate(ctx, &self.vdaf)?)
    }

    fn decode(&self, share: &Share, id: usize) -> Result<(V::PublicShare, V::InputShare), Failure> {
        Ok((
            V::PublicShare::get_decoded_with_param(&self.vdaf, &share.public_share)?,
            V::InputShare::get_decoded_with_param(&(&self.vdaf, id), &share.input_share)?,
        ))
    }

    fn resume(&mut self, job: &Value) -> Result<Value, Failure> {
        let (ctx, parameter) = (bytes(job, "ctx")?, self.parameter(job)?);
        let state = self.states.get(number::<usize>(&job["state"])?).ok_or("no such state")?.clone();
        let message = PingPongMessage::get_decoded(&bytes(job, "inbound")?)?;
        let next: PingPongContinuation<32, 16, V> = if job["role"] == 0 {
            self.vdaf.leader_continued(&ctx, &parameter, state, &message)?
        } else {
            self.vdaf.helper_continued(&ctx, &parameter, state, &message)?
        };
        let next = next.evaluate(&ctx, &self.vdaf)?;
        self.write(next)
    }

    fn parameter(&self, job: &Value) -> Result<V::AggregationParam, Failure> {
        Ok(V::AggregationParam::get_decoded(&bytes(job, "agg_param")?)?)
    }

    fn keep(&mut self, state: V::VerifyState) -> usize {
        self.states.push(state);
        self.states.len() - 1
    }

    fn write(&mut self, state: PingPongState<V::VerifyState, V::OutputShare>) -> Result<Value, Failure> {
        Ok(match state {
            PingPongState::Continued(next) => {
                let outbound = hex::encode(next.message.get_encoded()?);
                json!({ "state": self.keep(next.verifier_state), "outbound": outbound })
            }
            PingPongState::FinishedWithOutbound { output_share, message } => json!({
                "out_share": hex::encode(output_share.get_encoded()?),
                "outbound": hex::encode(message.get_encoded()?),
            }),
            PingPongState::Finished { output_share } => {
                json!({ "out_share": hex::encode(output_share.get_encoded()?) })
            }
        })
    }
}

impl<V: Steps> Peer for Party<V> {
    fn run(&mut self, job: &Value) -> Result<Value, Failure> {
        match job["op"].as_str().unwrap_or_default() {
            "shard" => {
                let measurement = (self.measurement)(&job["measurement"])?;
                let (public_share, shares) = self.shard(&bytes(job, "ctx")?, &measurement, &array(job, "nonce")?)?;
                let input_shares: Vec<String> = shares.iter().map(hex::encode).collect();
                Ok(json!({ "public_share": hex::encode(public_share), "input_shares": input_shares }))
            }
            "leader_init" => {
                let (key, ctx) = (array(job, "verify_key")?, bytes(job, "ctx")?);
                let (state, outbound) = self.leader_init(&key, &ctx, &self.parameter(job)?, &share(job)?)?;
                Ok(json!({ "state": self.keep(state), "outbound": hex::encode(outbound) }))
            }
            "helper_init" => {
                let (key, ctx) = (array(job, "verify_key")?, bytes(job, "ctx")?);
                let inbound = bytes(job, "inbound")?;
                let next = self.helper_init(&key, &ctx, &self.parameter(job)?, &share(job)?, &inbound)?;
                self.write(next)
            }
            "resume" => self.resume(job),
            "aggregate" => {
                let parameter = self.parameter(job)?;
                let decode = |one: &Vec<u8>| V::OutputShare::get_decoded_with_param(&(&self.vdaf, &parameter), one);
                let shares: Result<Vec<_>, _> = list(job, "out_shares")?.iter().map(decode).collect();
                let whole = self.vdaf.aggregate(&parameter, shares?)?;
                Ok(json!({ "agg_share": hex::encode(whole.get_encoded()?) }))
            }
            "unshard" => {
                let parameter = self.parameter(job)?;
                let decode = |one: &Vec<u8>| V::AggregateShare::get_decoded_with_param(&(&self.vdaf, &parameter), one);
                let shares: Result<Vec<_>, _> = list(job, "agg_shares")?.iter().map(decode).collect();
                let result = self.vdaf.unshard(&parameter, shares?, number(&job["report_count"])?)?;
                Ok(json!({ "result": (self.result)(result) }))
            }
            "bench" => bench::run(self, job),
            other => Err(format!("no op {other}").into()),
        }
    }
}

fn share(job: &Value) -> Result<Share, Failure> {
    Ok(Share {
        nonce: array(job, "nonce")?,
        public_share: bytes(job, "public_share")?,
        input_share: bytes(job, "input_share")?,
    })
}
