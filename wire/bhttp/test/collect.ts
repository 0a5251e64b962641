/** Puts the events of a streaming decoder together again, checking their order. */
import assert from 'node:assert/strict';
import type {
  BinaryRequest,
  BinaryResponse,
  ContentEvent,
  Field,
  InformationalResponse,
  RequestDecoder,
  RequestHead,
  ResponseDecoder,
  ResponseHead,
} from '@privacy-edge/bhttp';
import { concatBytes } from '@privacy-edge/bytes';

class Content {
  readonly #data: Uint8Array[] = [];
  trailers: readonly Field[] = [];
  ended = false;

  add(event: ContentEvent): void {
    assert.equal(this.ended, false);
    if (event.type === 'data') {
      assert.ok(event.bytes.length > 0);
      assert.equal(this.trailers.length, 0);
      this.#data.push(event.bytes);
    } else if (event.type === 'trailers') {
      assert.ok(event.fields.length > 0);
      this.trailers = event.fields;
    } else this.ended = true;
  }

  get body(): Uint8Array {
    return concatBytes(...this.#data);
  }
}

export function collectRequest(decoder: RequestDecoder, pieces: readonly Uint8Array[]): BinaryRequest {
  let head: RequestHead | undefined;
  const content = new Content();
  for (const event of [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.end()]) {
    if (event.type === 'head') {
      assert.equal(head, undefined);
      head = event.head;
      continue;
    }
    assert.ok(head);
    content.add(event);
  }
  assert.ok(head && content.ended);
  return { ...head, body: content.body, trailers: content.trailers };
}

export function collectResponse(decoder: ResponseDecoder, pieces: readonly Uint8Array[]): BinaryResponse {
  let head: ResponseHead | undefined;
  const informational: InformationalResponse[] = [];
  const content = new Content();
  for (const event of [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.end()]) {
    if (event.type === 'informational') {
      assert.equal(head, undefined);
      informational.push({ status: event.status, fields: event.fields });
    } else if (event.type === 'head') {
      assert.equal(head, undefined);
      head = event.head;
    } else {
      assert.ok(head);
      content.add(event);
    }
  }
  assert.ok(head && content.ended);
  return { informational, ...head, body: content.body, trailers: content.trailers };
}
