/** Control data read from an {@link Intake}, and the event that a finished header section makes of it. */
import { latin1 } from '@privacy-edge/bytes';
import { isInformational, type MessageKind } from './control-data.ts';
import { checkedControl, controlTooLong, type ReceivedControl, tooManyInformational } from './decode.ts';
import type { HeadEvent, InformationalEvent } from './events.ts';
import type { Field } from './field.ts';
import type { Intake } from './intake.ts';
import type { DecodeLimits } from './limits.ts';
import type { RequestHead, ResponseHead } from './message.ts';

/** What differs between requests and responses. */
export interface ControlReader<Event> {
  readonly kind: MessageKind;
  /** Whether the control data before the next header section is complete. */
  take(intake: Intake): boolean;
  /** Whether that header section belongs to the final head; false when more control data follows it. */
  readonly isFinal: boolean;
  /** The event for a complete header section. */
  event(fields: Field[]): Event;
}

/** Method, scheme, authority and path. RFC 9292 §3.4. */
export class RequestControlReader implements ControlReader<HeadEvent<RequestHead>> {
  readonly kind = 'request';
  readonly isFinal = true;
  readonly #limits: DecodeLimits;
  readonly #values: string[] = [];
  #length: number | undefined;
  #used = 0;

  constructor(limits: DecodeLimits) {
    this.#limits = limits;
  }

  take(intake: Intake): boolean {
    while (this.#values.length < 4) {
      const before = intake.consumed;
      const value = this.#takeValue(intake);
      this.#used += intake.consumed - before;
      if (value === undefined) return false;
      this.#values.push(value);
      this.#length = undefined;
    }
    return true;
  }

  #takeValue(intake: Intake): string | undefined {
    if (this.#length === undefined) {
      const before = intake.consumed;
      this.#length = intake.varint();
      if (this.#length === undefined) return undefined;
      if (this.#used + (intake.consumed - before) + this.#length > this.#limits.maxControlBytes) throw controlTooLong();
    }
    const bytes = intake.bytes(this.#length);
    return bytes === undefined ? undefined : latin1(bytes);
  }

  event(fields: Field[]): HeadEvent<RequestHead> {
    const [method = '', scheme = '', authority = '', path = ''] = this.#values;
    const received: ReceivedControl = [method, scheme, authority, path];
    return { type: 'head', head: { ...checkedControl(received, fields), fields } };
  }
}

/** A status code, again after each informational response. RFC 9292 §3.5. */
export class ResponseControlReader implements ControlReader<InformationalEvent | HeadEvent<ResponseHead>> {
  readonly kind = 'response';
  isFinal = false;
  readonly #limits: DecodeLimits;
  #status = 0;
  #informational = 0;

  constructor(limits: DecodeLimits) {
    this.#limits = limits;
  }

  take(intake: Intake): boolean {
    const status = intake.varint();
    if (status === undefined) return false;
    this.isFinal = !isInformational(status);
    if (!this.isFinal && ++this.#informational > this.#limits.maxInformational) throw tooManyInformational();
    this.#status = status;
    return true;
  }

  event(fields: Field[]): InformationalEvent | HeadEvent<ResponseHead> {
    const status = this.#status;
    return this.isFinal ? { type: 'head', head: { status, fields } } : { type: 'informational', status, fields };
  }
}
