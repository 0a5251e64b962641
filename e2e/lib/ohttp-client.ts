/** Makes Oblivious HTTP messages for a gateway, and opens the answers. Also makes messages that no honest client would. */
import { type BinaryRequest, type BinaryResponse, decodeResponse, encodeRequest } from '@privacy-edge/bhttp';
import { concatBytes, utf8 } from '@privacy-edge/bytes';
import {
  importPublicKey,
  type SenderContext,
  type SenderSetupResult,
  type Suite,
  setupBaseSender,
  suiteOf,
  systemRandom,
} from '@privacy-edge/hpke';
import { formatHttpDate } from '@privacy-edge/http-fields';
import {
  CHUNKED_LABELS,
  type Encapsulator,
  encapsulateChunked,
  KeyConfigList,
  prepareEncapsulator,
  ResponseOpener,
  selectSuite,
  WHOLE_LABELS,
} from '@privacy-edge/ohttp';

const NOTHING = new Uint8Array(0);

/** What of an inner request differs from `GET https://…/`. */
export interface InnerRequest {
  readonly method?: string;
  /** URL of the target. */
  readonly url: string;
  readonly fields?: BinaryRequest['fields'];
  readonly body?: Uint8Array;
  /** Milliseconds since the epoch; null for none. Default now. */
  readonly dateMs?: number | null;
}

/** A message and the means to open its answer. */
export interface Message {
  readonly bytes: Uint8Array;
  open(answer: Uint8Array): Promise<BinaryResponse>;
}

/** A chunked message in the pieces that a test may rearrange. */
export interface ChunkedMessage {
  readonly header: Uint8Array;
  /** Each with its length in front; the last one is final. */
  readonly chunks: readonly Uint8Array[];
  open(answer: Uint8Array): Promise<BinaryResponse>;
}

/** Lengths of header and encapsulated key of the X25519 KEM. */
export const HEADER_BYTES = 7;
export const ENC_BYTES = 32;

/** A client that was given key configurations. */
export class OhttpClient {
  readonly #encapsulator: Encapsulator;

  constructor(encapsulator: Encapsulator) {
    this.#encapsulator = encapsulator;
  }

  /** @param published - application/ohttp-keys */
  static async from(published: Uint8Array): Promise<OhttpClient> {
    const selected = selectSuite(KeyConfigList.decode(published).usable);
    if (selected === undefined) throw new Error('No usable key configuration');
    return new OhttpClient(await prepareEncapsulator(selected.config, selected.suite));
  }

  get keyId(): number {
    return this.#encapsulator.config.keyId;
  }

  /** A whole message. */
  whole(request: InnerRequest): Promise<Message> {
    return this.wrap(encodeInner(request));
  }

  /** A whole message of any content. Unlike an honest client's it can be answered more than once: copies are what tests send. */
  async wrap(plaintext: Uint8Array): Promise<Message> {
    const { header, suite, sender } = await this.#setUp(WHOLE_LABELS.request);
    const { enc, context } = sender;
    const bytes = concatBytes(header, enc, await context.seal(NOTHING, plaintext));
    const label = utf8(WHOLE_LABELS.response);
    return {
      bytes,
      open: async (answer) => decodeResponse(await new ResponseOpener(suite, context, label, enc).open(answer)),
    };
  }

  /** A chunked message of which each chunk carries `chunkBytes` of the request; the final one is empty. */
  async chunked(request: InnerRequest, chunkBytes = 16): Promise<ChunkedMessage> {
    const { header, request: sealer, response } = await encapsulateChunked(this.#encapsulator, systemRandom);
    const plaintext = encodeInner(request);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < plaintext.length; at += chunkBytes)
      chunks.push(await sealer.seal(plaintext.subarray(at, at + chunkBytes)));
    chunks.push(await sealer.sealFinal(NOTHING));
    const open = async (answer: Uint8Array): Promise<BinaryResponse> => {
      const opened = [...(await response.push(answer)), ...(await response.end())];
      return decodeResponse(concatBytes(...opened));
    };
    return { header, chunks, open };
  }

  /** A chunked message of sealed plaintexts that no sealer of ours would make, such as empty ones; none is final. */
  async strangeChunks(plaintexts: readonly Uint8Array[]): Promise<Uint8Array> {
    const { header, sender } = await this.#setUp(CHUNKED_LABELS.request);
    return concatBytes(header, sender.enc, ...(await sealAll(sender.context, plaintexts)));
  }

  async #setUp(label: string): Promise<{ header: Uint8Array; suite: Suite; sender: SenderSetupResult }> {
    const { config, suite: pair } = this.#encapsulator;
    const header = Uint8Array.of(
      config.keyId,
      ...[config.kemId, pair.kdfId, pair.aeadId].flatMap((id) => [id >> 8, id & 0xff]),
    );
    const suite = suiteOf(config.kemId, pair.kdfId, pair.aeadId);
    const publicKey = await importPublicKey(config.kemId, config.publicKey);
    const info = concatBytes(utf8(label), Uint8Array.of(0), header);
    return { header, suite, sender: await setupBaseSender(suite, publicKey, info, systemRandom) };
  }
}

async function sealAll(context: SenderContext, plaintexts: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const sealed: Uint8Array[] = [];
  for (const plaintext of plaintexts) {
    const bytes = await context.seal(NOTHING, plaintext);
    // Two-byte varint: enough for what tests make.
    sealed.push(Uint8Array.of(0x40 | (bytes.length >> 8), bytes.length & 0xff), bytes);
  }
  return sealed;
}

/** Binary HTTP of an inner request. */
export function encodeInner(request: InnerRequest): Uint8Array {
  const { method = 'GET', url, fields = [], body = NOTHING, dateMs = Date.now() } = request;
  const { protocol, host, pathname, search } = new URL(url);
  const date: BinaryRequest['fields'] = dateMs === null ? [] : [['date', formatHttpDate(dateMs)]];
  return encodeRequest({
    method,
    scheme: protocol.slice(0, -1),
    authority: host,
    path: pathname + search,
    fields: [...date, ...fields],
    body,
    trailers: [],
  });
}
