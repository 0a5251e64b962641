/** Binary messages from a stream of bytes, cut anywhere. RFC 9292 §3 and §4. */
import { DecodeError } from '@privacy-edge/bytes';
import { isKnownLength } from './control-data.ts';
import { checkPadding } from './decode.ts';
import type { ContentEvent, HeadEvent, InformationalEvent, RequestEvent, ResponseEvent } from './events.ts';
import { Intake } from './intake.ts';
import { type DecodeLimits, withDefaults } from './limits.ts';
import type { RequestHead, ResponseHead } from './message.ts';
import { type ControlReader, RequestControlReader, ResponseControlReader } from './stream-control.ts';
import { ContentReader, SectionReader } from './stream-parts.ts';

type State = 'framing' | 'control' | 'header' | 'content' | 'trailer' | 'padding' | 'ended';

/** The steps of a message; what is in its control data is the reader's affair. */
class MessageDecoder<Event> {
  readonly #control: ControlReader<Event>;
  readonly #limits: DecodeLimits;
  readonly #intake = new Intake();
  #state: State = 'framing';
  #known = true;
  #section: SectionReader;
  #content = new ContentReader(true);
  #failure: unknown;

  constructor(control: ControlReader<Event>, limits: DecodeLimits) {
    this.#control = control;
    this.#limits = limits;
    this.#section = new SectionReader(true, 'header', limits);
  }

  push(chunk: Uint8Array): (Event | ContentEvent)[] {
    return this.#guard(() => {
      const events: (Event | ContentEvent)[] = [];
      this.#intake.feed(chunk);
      while (this.#step(events));
      return events;
    });
  }

  end(): (Event | ContentEvent)[] {
    return this.#guard(() => {
      const events: (Event | ContentEvent)[] = [];
      if (!this.#mayEnd()) throw new DecodeError('TRUNCATED', `The binary ${this.#control.kind} ends early`);
      if (this.#state === 'header') events.push(this.#control.event([]));
      this.#state = 'ended';
      events.push({ type: 'end' });
      return events;
    });
  }

  /** Remembers the first error: nothing may be read from a message after it. RFC 9292 §4. */
  #guard(action: () => (Event | ContentEvent)[]): (Event | ContentEvent)[] {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state === 'ended') throw new TypeError('Cannot decode more: the message was ended');
    try {
      return action();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** The places where truncation leaves a valid message. RFC 9292 §3.8. */
  #mayEnd(): boolean {
    if (this.#intake.isPartial) return false;
    if (this.#state === 'header') return this.#control.isFinal && this.#section.isUntouched;
    if (this.#state === 'content') return this.#content.isUntouched;
    if (this.#state === 'trailer') return this.#section.isUntouched;
    return this.#state === 'padding';
  }

  /** Whether it may be worth calling again. */
  #step(events: (Event | ContentEvent)[]): boolean {
    switch (this.#state) {
      case 'framing':
        return this.#readFraming();
      case 'control':
        return this.#control.take(this.#intake) && this.#enterSection('header');
      case 'header':
        return this.#readHeader(events);
      case 'content':
        return this.#readContent(events);
      case 'trailer':
        return this.#readTrailer(events);
      case 'padding':
        checkPadding(this.#intake.some(Number.MAX_SAFE_INTEGER) ?? NOTHING);
        return false;
      case 'ended':
        return false;
    }
  }

  #readFraming(): boolean {
    const indicator = this.#intake.varint();
    if (indicator === undefined) return false;
    this.#known = isKnownLength(indicator, this.#control.kind);
    this.#content = new ContentReader(this.#known);
    this.#state = 'control';
    return true;
  }

  #enterSection(section: 'header' | 'trailer'): true {
    this.#section = new SectionReader(this.#known, section, this.#limits);
    this.#state = section;
    return true;
  }

  #readHeader(events: (Event | ContentEvent)[]): boolean {
    const fields = this.#section.take(this.#intake);
    if (fields === undefined) return false;
    events.push(this.#control.event(fields));
    this.#state = this.#control.isFinal ? 'content' : 'control';
    return true;
  }

  #readContent(events: (Event | ContentEvent)[]): boolean {
    const taken = this.#content.take(this.#intake);
    if (taken === undefined) return false;
    if (taken === 'done') return this.#enterSection('trailer');
    events.push({ type: 'data', bytes: taken });
    return true;
  }

  #readTrailer(events: (Event | ContentEvent)[]): boolean {
    const fields = this.#section.take(this.#intake);
    if (fields === undefined) return false;
    if (fields.length > 0) events.push({ type: 'trailers', fields });
    this.#state = 'padding';
    return true;
  }
}

const NOTHING = new Uint8Array(0);

/**
 * Decodes one request from chunks of any size, of known or indeterminate length.
 *
 * Events come as soon as their bytes do; `end` comes from {@link RequestDecoder.end} only, and until then the message
 * may still turn out to be invalid. After an error every further call throws the same error.
 *
 * @see RFC 9292 §3
 */
export class RequestDecoder {
  readonly #decoder: MessageDecoder<HeadEvent<RequestHead>>;

  /** @param limits - missing ones are {@link DEFAULT_DECODE_LIMITS} */
  constructor(limits?: Partial<DecodeLimits>) {
    const bounds = withDefaults(limits);
    this.#decoder = new MessageDecoder(new RequestControlReader(bounds), bounds);
  }

  /**
   * @param chunk - attacker-controlled; must not change while `data` events that view it are in use
   * @returns what became complete, with content as at most one event; nothing of a chunk that holds an error
   * @throws {@link DecodeError} `INVALID`, `RANGE` or `LIMIT`; `TRUNCATED` when a field section cuts its last line
   * @throws {TypeError} after `end`
   */
  push(chunk: Uint8Array): RequestEvent[] {
    return this.#decoder.push(chunk);
  }

  /**
   * Declares that no more bytes follow; once.
   *
   * @returns the head, if the message ended right before its header section, and `end`
   * @throws {@link DecodeError} `TRUNCATED` where RFC 9292 §3.8 allows no end
   * @throws {TypeError} after `end`
   */
  end(): RequestEvent[] {
    return this.#decoder.end();
  }
}

/**
 * Decodes one response, with its informational responses, from chunks of any size; otherwise like
 * {@link RequestDecoder}.
 *
 * @see RFC 9292 §3
 */
export class ResponseDecoder {
  readonly #decoder: MessageDecoder<InformationalEvent | HeadEvent<ResponseHead>>;

  /** @param limits - missing ones are {@link DEFAULT_DECODE_LIMITS} */
  constructor(limits?: Partial<DecodeLimits>) {
    const bounds = withDefaults(limits);
    this.#decoder = new MessageDecoder(new ResponseControlReader(bounds), bounds);
  }

  /**
   * @param chunk - attacker-controlled; must not change while `data` events that view it are in use
   * @returns what became complete, with content as at most one event; nothing of a chunk that holds an error
   * @throws {@link DecodeError} `INVALID`, `RANGE` or `LIMIT`; `TRUNCATED` when a field section cuts its last line
   * @throws {TypeError} after `end`
   */
  push(chunk: Uint8Array): ResponseEvent[] {
    return this.#decoder.push(chunk);
  }

  /**
   * Declares that no more bytes follow; once.
   *
   * @returns the head, if the message ended right before its header section, and `end`
   * @throws {@link DecodeError} `TRUNCATED` where RFC 9292 §3.8 allows no end
   * @throws {TypeError} after `end`
   */
  end(): ResponseEvent[] {
    return this.#decoder.end();
  }
}
