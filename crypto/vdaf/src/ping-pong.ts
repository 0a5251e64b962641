/** Messages of the ping-pong topology. VDAF §5.7.1. */
import { Reader, Writer } from '@privacy-edge/bytes';

/** A message between the two aggregators. */
export type PingPongMessage =
  | { readonly type: 'initialize'; readonly verifierShare: Uint8Array }
  | { readonly type: 'continue'; readonly verifierMessage: Uint8Array; readonly verifierShare: Uint8Array }
  | { readonly type: 'finish'; readonly verifierMessage: Uint8Array };

/** Bytes of an `initialize` message before its share. */
export const INITIALIZE_SIZE: number = 1 + 4;

const INITIALIZE = 0;
const CONTINUE = 1;
const FINISH = 2;

/**
 * @returns the encoded message
 * @see VDAF §5.7.1
 */
export function encodePingPong(message: PingPongMessage): Uint8Array {
  switch (message.type) {
    case 'initialize':
      return withVectors(INITIALIZE, message.verifierShare);
    case 'continue':
      return withVectors(CONTINUE, message.verifierMessage, message.verifierShare);
    case 'finish':
      return withVectors(FINISH, message.verifierMessage);
  }
}

/**
 * @param bytes - from the other aggregator
 * @returns the message, as views of the input; undefined when the bytes are none
 * @see VDAF §5.7.1
 */
export function decodePingPong(bytes: Uint8Array): PingPongMessage | undefined {
  try {
    const r = new Reader(bytes, 'ping-pong message');
    const message = read(r);
    r.end();
    return message;
  } catch {
    return undefined;
  }
}

function read(r: Reader): PingPongMessage | undefined {
  switch (r.u8()) {
    case INITIALIZE:
      return { type: 'initialize', verifierShare: r.vector(4) };
    case CONTINUE:
      return { type: 'continue', verifierMessage: r.vector(4), verifierShare: r.vector(4) };
    case FINISH:
      return { type: 'finish', verifierMessage: r.vector(4) };
    default:
      return undefined;
  }
}

function withVectors(type: number, ...vectors: readonly Uint8Array[]): Uint8Array {
  const w = new Writer().u8(type);
  for (const vector of vectors) w.vector(4, vector);
  return w.finish();
}
