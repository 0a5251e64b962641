/** Types of messages that DAP leaves to others, or that the vectors write in a way of their own. */
import { type Codec, DecodeError, Reader, Writer } from '@privacy-edge/bytes';
import {
  type AggregateShareReq,
  CollectionJobReq,
  decodeVdafConfiguration,
  encodeVdafConfiguration,
  type VdafConfiguration,
} from '@privacy-edge/dap';
import { decodePingPong, encodePingPong, type PingPongMessage } from '@privacy-edge/vdaf';
import { written } from './dap-written.ts';

/** Messages between the aggregators' VDAFs. VDAF §5.7.1. */
export const pingPongMessage: Codec<PingPongMessage> = {
  encode: encodePingPong,
  decode(bytes) {
    const message = decodePingPong(bytes);
    if (message === undefined) throw new DecodeError('INVALID', 'It is no ping-pong message');
    return message;
  },
};

/** The two fields of a task configuration that name a VDAF, as they stand there. DAP §B. */
export const vdafConfig: Codec<VdafConfiguration> = {
  decode(bytes) {
    const reader = new Reader(bytes, 'VDAF configuration');
    const [vdafType, vdafConfiguration] = [reader.u32(), reader.vector(2)];
    reader.end();
    return decodeVdafConfiguration(vdafType, vdafConfiguration);
  },
  encode(value) {
    const { vdafType, vdafConfiguration } = encodeVdafConfiguration(value);
    return new Writer().u32(vdafType).vector(2, vdafConfiguration).finish();
  },
};

/** The type stands for the kind. */
export function writeVdafConfig(value: VdafConfiguration): unknown {
  const { kind: _, ...parameters } = value;
  return written({ vdafType: encodeVdafConfiguration(value).vdafType, ...parameters });
}

/** The request inside of it is written in its encoding. */
export function writeAggregateShareReq({ collectionJobReq, ...rest }: AggregateShareReq): unknown {
  return written({ collectionJobReq: CollectionJobReq.encode(collectionJobReq), ...rest });
}
