/** Messages of indeterminate length, piece by piece. RFC 9292 §3.2. */
import { concatBytes, varintLength, writeVarint } from '@privacy-edge/bytes';
import { framingIndicator } from './control-data.ts';
import {
  informationalLength,
  requestControlLength,
  sectionLength,
  writeFinalStatus,
  writeInformational,
  writeRequestControl,
  writeSection,
} from './encode.ts';
import type { Field } from './field.ts';
import type { InformationalResponse, RequestHead, ResponseHead } from './message.ts';

const EMPTY = new Uint8Array(0);

/** Order of the calls, kept in one place: head, then data, then end. */
class Content {
  #state: 'head' | 'content' | 'ended' = 'head';

  head(): void {
    if (this.#state !== 'head') throw new TypeError('Cannot encode a head: the message already has one');
    this.#state = 'content';
  }

  data(bytes: Uint8Array): Uint8Array {
    if (this.#state !== 'content') throw new TypeError(`Cannot encode content: ${REASON[this.#state]}`);
    // A chunk of length zero would be read as the end of the content.
    if (bytes.length === 0) return EMPTY;
    const prefix = varintLength(bytes.length);
    const chunk = new Uint8Array(prefix + bytes.length);
    chunk.set(bytes, writeVarint(chunk, 0, bytes.length));
    return chunk;
  }

  end(trailers: readonly Field[], paddingBytes: number): Uint8Array {
    if (this.#state !== 'content') throw new TypeError(`Cannot end the message: ${REASON[this.#state]}`);
    if (!Number.isSafeInteger(paddingBytes) || paddingBytes < 0) {
      throw new RangeError('Padding is a whole number of bytes');
    }
    const tail = new Uint8Array(1 + sectionLength(trailers, false) + paddingBytes);
    writeSection(tail, 1, trailers, 'trailer', false);
    this.#state = 'ended';
    return tail;
  }
}

const REASON = { head: 'its head comes first', content: 'it is still open', ended: 'it has ended' };

/**
 * Encodes one request whose length is not known yet. Send what the methods return, in order.
 *
 * @see RFC 9292 §3.2
 */
export class RequestEncoder {
  readonly #content = new Content();

  /**
   * Framing indicator, control data and header section; once.
   *
   * @throws {TypeError} for an invalid head, or out of order
   * @throws {RangeError} for a character above U+00FF
   */
  head(head: RequestHead): Uint8Array {
    const bytes = new Uint8Array(1 + requestControlLength(head) + sectionLength(head.fields, false));
    bytes[0] = framingIndicator('request', false);
    writeSection(bytes, writeRequestControl(bytes, 1, head), head.fields, 'header', false);
    this.#content.head();
    return bytes;
  }

  /** One content chunk; nothing for no bytes. @throws {TypeError} before the head or after the end */
  data(bytes: Uint8Array): Uint8Array {
    return this.#content.data(bytes);
  }

  /**
   * End of the content, trailer section and padding; once.
   *
   * @param trailers - default none
   * @param paddingBytes - zero bytes to append; default 0
   * @throws {TypeError} for an invalid trailer, or out of order
   * @throws {RangeError} for a character above U+00FF, or padding that is not a length
   */
  end(trailers: readonly Field[] = [], paddingBytes = 0): Uint8Array {
    return this.#content.end(trailers, paddingBytes);
  }
}

/**
 * Encodes one response whose length is not known yet: any number of informational responses, then head, data and end.
 * Send what the methods return, in order.
 *
 * @see RFC 9292 §3.2
 */
export class ResponseEncoder {
  readonly #content = new Content();
  #started = false;
  #headed = false;

  /**
   * One informational response, RFC 9292 §3.5.1; before the head.
   *
   * @throws {TypeError} for an invalid field line, or after the head
   * @throws {RangeError} for a status code that is not from 100 to 199, or a character above U+00FF
   */
  informational(response: InformationalResponse): Uint8Array {
    if (this.#headed) throw new TypeError('Cannot encode an informational response: the head is already out');
    const bytes = new Uint8Array(informationalLength(response, false));
    writeInformational(bytes, 0, response, false);
    return this.#start(bytes);
  }

  /**
   * Status code and header section of the final response; once.
   *
   * @throws {TypeError} for an invalid field line, or out of order
   * @throws {RangeError} for a status code that is not from 200 to 599, or a character above U+00FF
   */
  head(head: ResponseHead): Uint8Array {
    const bytes = new Uint8Array(2 + sectionLength(head.fields, false));
    writeSection(bytes, writeFinalStatus(bytes, 0, head.status), head.fields, 'header', false);
    this.#content.head();
    this.#headed = true;
    return this.#start(bytes);
  }

  /** One content chunk; nothing for no bytes. @throws {TypeError} before the head or after the end */
  data(bytes: Uint8Array): Uint8Array {
    return this.#content.data(bytes);
  }

  /**
   * End of the content, trailer section and padding; once.
   *
   * @param trailers - default none
   * @param paddingBytes - zero bytes to append; default 0
   * @throws {TypeError} for an invalid trailer, or out of order
   * @throws {RangeError} for a character above U+00FF, or padding that is not a length
   */
  end(trailers: readonly Field[] = [], paddingBytes = 0): Uint8Array {
    return this.#content.end(trailers, paddingBytes);
  }

  /** The framing indicator goes out with whatever block is first. */
  #start(block: Uint8Array): Uint8Array {
    if (this.#started) return block;
    this.#started = true;
    return concatBytes(Uint8Array.of(framingIndicator('response', false)), block);
  }
}
