/**
 * A client of one gateway that keeps up a rate: real encapsulation, keys cached exactly as long as they may be, HTTP/2
 * connections that come and go. Started as a process of its own with its options as JSON; prints its result as JSON.
 *
 * What counts as failed: everything but an answer that opens and says 200. Sent again are only requests that the gateway
 * provably did not process (RFC 9113 §8.7).
 */
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeResponse } from '@privacy-edge/bhttp';
import { systemRandom } from '@privacy-edge/hpke';
import {
  type Encapsulator,
  KeyConfigList,
  MEDIA_TYPE_REQUEST,
  prepareEncapsulator,
  selectSuite,
} from '@privacy-edge/ohttp';
import { encodeInner } from './ohttp-client.ts';

/** What a run is. */
export interface GeneratorOptions {
  readonly origin: string;
  readonly caFile: string;
  readonly targetUrl: string;
  readonly connections: number;
  /** Requests a second; 0 is as many as `concurrency` requests under way allow. */
  readonly rate: number;
  readonly concurrency: number;
  readonly durationMs: number;
}

/** What became of it. */
export interface GeneratorResult {
  readonly answered: number;
  /** Reasons and how often. */
  readonly failed: Readonly<Record<string, number>>;
  readonly sentAgain: number;
  readonly redials: number;
  readonly connections: number;
  /** Lists of keys that were different from the one before. */
  readonly keyChanges: number;
  /** Not sent, because more than `concurrency` requests were under way. */
  readonly skipped: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Milliseconds for which a connection gets new requests. */
const CONNECTION_MS = 8000;
const TICK_MS = 4;
/** Milliseconds until a request counts as failed. */
const GIVE_UP_MS = 30_000;

/** A request that was not processed, so that sending it again cannot do anything twice. */
class NotProcessed extends Error {}

class Connection {
  readonly session: ClientHttp2Session;
  readonly openedMs: number = performance.now();
  usable = true;
  underWay = 0;

  constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on('goaway', () => this.retire());
    session.on('close', () => (this.usable = false));
    session.on('error', () => (this.usable = false));
  }

  retire(): void {
    this.usable = false;
    if (!this.session.closed) this.session.close();
  }

  request(path: string, body: Uint8Array | undefined): Promise<{ status: number; maxAge: number; body: Uint8Array }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; maxAge: number; body: Uint8Array }>();
    if (!this.usable || this.session.closed || this.session.destroyed) throw new NotProcessed('Not sent');
    const method = body === undefined ? 'GET' : 'POST';
    const type = body === undefined ? {} : { 'content-type': MEDIA_TYPE_REQUEST, 'content-length': body.length };
    const stream = this.session.request(
      { ':method': method, ':path': path, ...type },
      { endStream: body === undefined },
    );
    const timer = setTimeout(() => {
      reject(new Error('no answer in time'));
      stream.close(constants.NGHTTP2_CANCEL);
    }, GIVE_UP_MS);
    this.underWay++;
    let status = 0;
    let maxAge = 0;
    const pieces: Buffer[] = [];
    stream.on('response', (headers) => {
      status = headers[':status'] ?? 0;
      maxAge = Number(/max-age=(\d+)/.exec(String(headers['cache-control']))?.[1] ?? 0);
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) reject(new NotProcessed('Refused'));
      // Node's words for a stream that was never given a number: nothing of it was sent.
      else if (error.code === 'ERR_HTTP2_GOAWAY_SESSION' || stream.id === undefined)
        reject(new NotProcessed('Going away'));
      else reject(new Error(`stream error ${error.code ?? error.message} ${stream.rstCode}`));
    });
    stream.on('close', () => {
      clearTimeout(timer);
      this.underWay--;
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) reject(new NotProcessed('Refused'));
      else if (status === 0) reject(new Error(`closed without an answer, code ${stream.rstCode}`));
      else resolve({ status, maxAge, body: Buffer.concat(pieces) });
    });
    if (body !== undefined) stream.end(body);
    return promise;
  }
}

class Generator {
  readonly #options: GeneratorOptions;
  readonly #ca: Buffer;
  #connections: Connection[] = [];
  readonly #latencies: number[] = [];
  readonly #failed = new Map<string, number>();
  #encapsulator: Encapsulator | undefined;
  #keysUntilMs = 0;
  #fetching: Promise<Encapsulator> | undefined;
  #next = 0;
  #answered = 0;
  #sentAgain = 0;
  #redials = 0;
  #dialled = 0;
  #keyChanges = -1;
  #keyList = '';
  #skipped = 0;
  #underWay = 0;
  #over = false;

  constructor(options: GeneratorOptions) {
    this.#options = options;
    this.#ca = readFileSync(options.caFile);
  }

  async run(): Promise<GeneratorResult> {
    const { durationMs, rate } = this.#options;
    const keeping = Array.from({ length: this.#options.connections }, (_, at) => this.#keep(at));
    while (this.#connections.filter((one) => one?.usable).length < this.#options.connections) await pause(5);
    await this.#keys();
    const started = performance.now();
    if (rate === 0) await this.#flatOut(started + durationMs);
    else await this.#atRate(rate, started, durationMs);
    const seconds = (performance.now() - started) / 1000;
    while (this.#underWay > 0) await pause(5);
    this.#over = true;
    await Promise.all(keeping);
    return this.#result(seconds);
  }

  async #flatOut(untilMs: number): Promise<void> {
    const loop = async (): Promise<void> => {
      while (performance.now() < untilMs) await this.#one();
    };
    await Promise.all(Array.from({ length: this.#options.concurrency }, loop));
  }

  async #atRate(rate: number, started: number, durationMs: number): Promise<void> {
    let sent = 0;
    for (let now = started; now < started + durationMs; now = performance.now()) {
      const due = Math.floor(((now - started) / 1000) * rate);
      for (; sent < due; sent++) {
        if (this.#underWay >= this.#options.concurrency) this.#skipped++;
        else void this.#one();
      }
      await pause(TICK_MS);
    }
  }

  async #one(): Promise<void> {
    this.#underWay++;
    const started = performance.now();
    try {
      const encapsulator = await this.#keys();
      const inner = encodeInner({ url: `${this.#options.targetUrl}/load` });
      const { message, response } = await encapsulator.encapsulate(inner, systemRandom);
      const answer = await this.#send(message);
      if (answer.status !== 200) throw new Error(`status ${answer.status} in clear`);
      const { status } = decodeResponse(await response.open(answer.body));
      if (status !== 200) throw new Error(`status ${status} inside`);
      this.#answered++;
      this.#latencies.push(performance.now() - started);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#failed.set(why, (this.#failed.get(why) ?? 0) + 1);
    } finally {
      this.#underWay--;
    }
  }

  async #send(message: Uint8Array | undefined): ReturnType<Connection['request']> {
    const path = message === undefined ? '/ohttp-keys' : '/.well-known/ohttp-gateway';
    for (let tries = 0; ; tries++) {
      const connection = await this.#usable();
      try {
        return await connection.request(path, message);
      } catch (error) {
        // Every try brings its own proof, and a connection that refused gets no more: the tries end with the connections.
        if (!(error instanceof NotProcessed) || tries > 4 * this.#options.connections) throw error;
        connection.retire();
        this.#sentAgain++;
      }
    }
  }

  async #usable(): Promise<Connection> {
    for (;;) {
      for (let tries = 0; tries < this.#connections.length; tries++) {
        const connection = this.#connections[this.#next++ % this.#connections.length];
        if (connection?.usable === true) return connection;
      }
      await pause(2);
    }
  }

  /** Keys for as long as they are fresh, fetched once for all requests that wait for them. */
  #keys(): Encapsulator | Promise<Encapsulator> {
    if (this.#encapsulator !== undefined && Date.now() < this.#keysUntilMs) return this.#encapsulator;
    this.#fetching ??= this.#fetchKeys().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetchKeys(): Promise<Encapsulator> {
    const askedMs = Date.now();
    const { status, maxAge, body } = await this.#send(undefined);
    const selected = status === 200 ? selectSuite(KeyConfigList.decode(body).usable) : undefined;
    if (selected === undefined) throw new Error(`no keys, status ${status}`);
    const list = Buffer.from(body).toString('hex');
    if (list !== this.#keyList) this.#keyChanges++;
    this.#keyList = list;
    this.#encapsulator = await prepareEncapsulator(selected.config, selected.suite);
    // A list that is over within the second may be used once for everyone who waits, and is then asked for again.
    this.#keysUntilMs = askedMs + 1000 * maxAge;
    return this.#encapsulator;
  }

  /** Holds one place for a connection: dials, uses it for a while, replaces it. */
  async #keep(place: number): Promise<void> {
    while (!this.#over) {
      const connection = await this.#dial();
      if (connection === undefined) continue;
      const before = this.#connections[place];
      this.#connections[place] = connection;
      before?.retire();
      const lifetime = CONNECTION_MS * (0.5 + Math.random());
      while (!this.#over && connection.usable && performance.now() - connection.openedMs < lifetime) await pause(20);
    }
    for (const connection of this.#connections) connection.retire();
  }

  async #dial(): Promise<Connection | undefined> {
    const session = connect(this.#options.origin, { ca: this.#ca });
    const dialled = await new Promise<boolean>((resolve) => {
      // The first settings of the gateway show that it took the connection: what is sent before may be lost in its backlog.
      session.once('remoteSettings', () => resolve(true));
      session.once('error', () => resolve(false));
      session.once('close', () => resolve(false));
    });
    if (dialled) {
      this.#dialled++;
      return new Connection(session);
    }
    this.#redials++;
    session.destroy();
    await pause(5);
    return undefined;
  }

  #result(seconds: number): GeneratorResult {
    const sorted = Float64Array.from(this.#latencies).sort();
    const at = (part: number): number => Math.round(10 * (sorted[Math.floor(part * (sorted.length - 1))] ?? 0)) / 10;
    return {
      answered: this.#answered,
      failed: Object.fromEntries(this.#failed),
      sentAgain: this.#sentAgain,
      redials: this.#redials,
      connections: this.#dialled,
      keyChanges: this.#keyChanges,
      skipped: this.#skipped,
      perSecond: Math.round(this.#answered / seconds),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
    };
  }
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as GeneratorOptions;
  console.log(JSON.stringify({ event: 'started' }));
  const result = await new Generator(options).run();
  console.log(JSON.stringify({ event: 'result', ...result }));
  process.exit(0);
}
