/** The request of a chunked exchange on its way to the target, while it is still arriving. */
import type { InformationalResponse, RequestHead } from '@privacy-edge/bhttp';
import type { GatewayContext } from './gateway-context.ts';
import type { InnerRequestReader } from './inner-request-reader.ts';
import type { TargetResponse } from './ports.ts';
import { brokenRequest, failedTarget, type Refusal } from './refusal.ts';
import { informationalResponse, requestFields, type TargetHead } from './target-exchange.ts';

/** The content of the request, pulled by whoever sends it on. */
class RequestContent {
  readonly #reader: InnerRequestReader;
  #trailers: RequestHead['fields'] = [];
  /** Why the request could not be read to its end. */
  refusal: Refusal | undefined;

  constructor(reader: InnerRequestReader) {
    this.#reader = reader;
  }

  trailers(): RequestHead['fields'] {
    return this.#trailers;
  }

  /**
   * The content, or null when there is none. A request without content is only sent once its final chunk has authenticated:
   * before that, an attacker in the path could have cut it.
   */
  async open(): Promise<AsyncIterable<Uint8Array> | null> {
    const first = await this.#next();
    return first === undefined ? null : this.#stream(first);
  }

  async *#stream(first: Uint8Array): AsyncGenerator<Uint8Array> {
    let piece: Uint8Array | undefined = first;
    while (piece !== undefined) {
      yield piece;
      piece = await this.#next();
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    try {
      for (;;) {
        const event = await this.#reader.next();
        if (event.type === 'data') return event.bytes;
        if (event.type === 'trailers') this.#trailers = requestFields(event.fields);
        if (event.type === 'end') return undefined;
      }
    } catch (error) {
      this.refusal = brokenRequest(error);
      throw error;
    }
  }
}

/** Either the target's response, or the answer that takes its place. */
export type TargetResult = { readonly response: TargetResponse } | { readonly refusal: Refusal };

/** A request on its way to the target. */
export interface TargetRun {
  readonly response: Promise<TargetResult>;
  /** Informational responses as they come, until the final one is there or the exchange is given up. */
  informational(): AsyncGenerator<InformationalResponse>;
}

/**
 * Sends a request to its target as its content arrives.
 *
 * @param signal - ends the request to the target
 */
export function startTarget(
  { ports, observer }: GatewayContext,
  head: TargetHead,
  reader: InnerRequestReader,
  signal: AbortSignal,
): TargetRun {
  const content = new RequestContent(reader);
  // Sending trailers costs a connection of its own, so only what is announced is waited for. RFC 9110 §6.5.1 allows to drop the rest.
  const announced = head.fields.some(([name]) => name === 'trailer');
  const trailers = announced ? () => content.trailers() : undefined;
  const queue: InformationalResponse[] = [];
  let wake: () => void = () => {};
  const send = async (): Promise<TargetResult> => {
    try {
      const body = await content.open();
      signal.throwIfAborted();
      const started = ports.clock();
      const response = await ports.fetchTarget({ ...head, body, trailers }, signal, (received) => {
        const interim = informationalResponse(received);
        if (interim !== undefined && queue.length < MAX_QUEUED_INFORMATIONAL) queue.push(interim);
        wake();
      });
      observer.targetAnswered(ports.clock() - started);
      return { response };
    } catch (error) {
      return { refusal: content.refusal ?? failedTarget(error) };
    }
  };
  let settled = false;
  const settle = (): void => {
    settled = true;
    wake();
  };
  const response = send().finally(settle);
  // What is given up is not waited for: the request may be stuck in a source that never moves again.
  signal.addEventListener('abort', settle, { once: true });
  return {
    response,
    async *informational() {
      for (;;) {
        const next = queue.shift();
        if (next !== undefined) yield next;
        else if (settled) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

/** A target that sends interim responses faster than the client reads loses some of them, not memory. */
const MAX_QUEUED_INFORMATIONAL = 8;
