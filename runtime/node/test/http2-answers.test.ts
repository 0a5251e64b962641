/** Answers over HTTP/2, whole and cut in every way, as the two ports give them. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createServer as createTls } from 'node:tls';
import type { TargetInformational, TargetRequest, TargetResponse } from '@privacy-edge/gateway-roles';
import { createFetchTarget, createForward, createLocalAuthority, type OutboundOptions } from '../src/index.ts';
import { data, framePeer, goaway, headers, ok, type Peer, reset } from './http2-frames.ts';
import { bytes, collect, never, temporaryFolder, text } from './support.ts';

const NO_ERROR = 0;
const INTERNAL_ERROR = 2;
const REFUSED_STREAM = 7;
const CANCEL = 8;
const CODES = [NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL];

function request(port: number, change: Partial<TargetRequest> = {}): TargetRequest {
  return {
    method: 'POST',
    scheme: 'http',
    host: '127.0.0.1',
    port,
    authority: 'target.example',
    path: '/',
    fields: [],
    body: bytes('sent'),
    trailers: undefined,
    route: { socketPath: undefined, protocol: 'http2', allowPrivate: true, timeoutMs: 5000 },
    ...change,
  };
}

/** Asks a peer that answers with `answer` when the request is whole. */
async function target(
  t: TestContext,
  answer: (peer: Peer, id: number) => void,
  options: OutboundOptions = {},
): Promise<{
  readonly ask: (
    change?: Partial<TargetRequest>,
    tell?: (told: TargetInformational) => void,
  ) => Promise<TargetResponse>;
  readonly peers: readonly Peer[];
}> {
  const { port, peers } = await framePeer(t, (peer, id, ended) => {
    if (ended) answer(peer, id);
  });
  const { fetchTarget, close } = createFetchTarget(options);
  t.after(() => close());
  return { ask: (change, tell) => fetchTarget(request(port, change), never, tell), peers };
}

const read = async (response: TargetResponse): Promise<string> => text(await response.body.read(1000));
const stream = async (response: TargetResponse): Promise<string> => text(await collect(response.body.stream()));
const CUT = { name: 'BodyError', code: 'ABORTED' };

describe('HTTP/2 answers', () => {
  it('keep the order, repeats and bytes of fields, 1xx answers and trailers', async (t) => {
    const { ask } = await target(t, (peer, id) => {
      peer.send(
        headers(id, [
          [':status', '103'],
          ['link', '</a>'],
          ['link', '</b>'],
        ]),
        ok(id, [
          ['x-a', '1'],
          ['content-type', 'a/b'],
          ['x-b', '\xe9'],
          ['x-a', '2'],
          ['content-type', 'c/d'],
        ]),
        data(id, 'abc'),
        headers(
          id,
          [
            ['x-t', '1'],
            ['x-t', '\xfc'],
          ],
          true,
        ),
      );
    });
    const told: TargetInformational[] = [];
    const response = await ask({}, (informational) => told.push(informational));
    const links = [
      ['link', '</a>'],
      ['link', '</b>'],
    ];
    assert.deepEqual(told, [{ status: 103, fields: links }]);
    assert.deepEqual(response.fields, [
      ['x-a', '1'],
      ['content-type', 'a/b'],
      ['x-b', '\xe9'],
      ['x-a', '2'],
      ['content-type', 'c/d'],
    ]);
    assert.equal(response.body.announcedLength, undefined);
    assert.equal(await read(response), 'abc');
    assert.deepEqual(response.trailers(), [
      ['x-t', '1'],
      ['x-t', '\xfc'],
    ]);
  });

  it('may have no body, an empty one, or a length without one to HEAD', async (t) => {
    const { ask } = await target(t, (peer, id) => {
      if (id === 1) peer.send(headers(id, [[':status', '204']], true));
      if (id === 3) peer.send(ok(id, [['content-length', '0']]), data(id, '', true));
      if (id === 5) peer.send(ok(id, [['content-length', '99']], true));
    });
    assert.equal((await ask()).status, 204);
    assert.equal(await read(await ask()), '');
    const head = await ask({ method: 'HEAD', body: null });
    assert.equal(head.body.announcedLength, undefined);
    assert.equal(await stream(head), '');
  });

  for (const code of CODES) {
    for (const fields of [[], [['content-length', '6']]] as const) {
      const how = `reset with ${code} mid-body, ${fields.length === 0 ? 'without' : 'with'} a length`;
      it(`are ABORTED when ${how}, right after the data`, async (t) => {
        const { ask } = await target(t, (peer, id) => peer.send(ok(id, fields), data(id, 'one'), reset(id, code)));
        await assert.rejects(read(await ask()), CUT);
        await assert.rejects(stream(await ask()), CUT);
      });

      it(`are ABORTED when ${how}, after the data was read`, async (t) => {
        const { ask, peers } = await target(t, (peer, id) => peer.send(ok(id, fields), data(id, 'one')));
        const iterator = (await ask()).body.stream()[Symbol.asyncIterator]();
        assert.equal(text((await iterator.next()).value as Uint8Array), 'one');
        peers[0]?.send(reset(1, code));
        await assert.rejects(iterator.next(), CUT);
        const response = await ask();
        const all = response.body.read(1000);
        peers[0]?.send(reset(3, code));
        await assert.rejects(all, CUT);
      });
    }

    it(`are ABORTED when reset with ${code} between header and body, and BROKEN before the header`, async (t) => {
      const { ask, peers } = await target(t, (peer, id) => peer.send(...(id === 1 ? [ok(id)] : []), reset(id, code)));
      await assert.rejects(read(await ask()), CUT);
      await assert.rejects(ask(), { name: 'TargetError', code: 'BROKEN' });
      assert.equal(peers.length, 1);
    });

    it(`are whole when the reset with ${code} comes after END_STREAM, before the request was sent`, async (t) => {
      const released = Promise.withResolvers<void>();
      const { port } = await framePeer(t, (peer, id) => peer.send(ok(id), data(id, 'all', true), reset(id, code)));
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) {
            yield new Uint8Array(1000);
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          released.resolve();
        }
      }
      const { fetchTarget, close } = createFetchTarget();
      t.after(() => close());
      assert.equal(await read(await fetchTarget(request(port, { body: endless() }), never)), 'all');
      await released.promise;
    });
  }

  it('are ABORTED when the connection ends mid-body, in every way', async (t) => {
    const ends: ((peer: Peer) => void)[] = [
      ({ socket }) => socket.end(),
      ({ socket }) => socket.resetAndDestroy(),
      (peer) => peer.socket.end(goaway(99, NO_ERROR)),
      (peer) => peer.socket.end(goaway(99, INTERNAL_ERROR)),
      (peer) => peer.send(Buffer.from('nonsense that is no frame at all')),
    ];
    for (const end of ends) {
      const { ask, peers } = await target(t, (peer, id) => peer.send(ok(id), data(id, 'one')));
      const iterator = (await ask()).body.stream()[Symbol.asyncIterator]();
      await iterator.next();
      const rest = iterator.next();
      for (const peer of peers) end(peer);
      await assert.rejects(rest, CUT, String(end));
    }
  });

  it('are whole when the connection ends right after them', async (t) => {
    const body = 'x'.repeat(100_000);
    const { ask } = await target(t, ({ socket }, id) => {
      const pieces = Array.from({ length: 10 }, (_, i) => data(id, body.slice(i * 10_000, (i + 1) * 10_000), i === 9));
      socket.end(Buffer.concat([ok(id), ...pieces]));
    });
    const response = await ask();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(text(await response.body.read(200_000)), body);
  });

  it('are ABORTED when shorter or longer than announced', async (t) => {
    const fields = [['content-length', '3']] as const;
    const short = await target(t, (peer, id) => peer.send(ok(id, fields), data(id, 'ab', true)));
    await assert.rejects(read(await short.ask()), CUT);
    await assert.rejects(stream(await short.ask()), CUT);
    const long = await target(t, (peer, id) => peer.send(ok(id, fields), data(id, 'abcd', true)));
    await assert.rejects(read(await long.ask()), CUT);
    await assert.rejects(stream(await long.ask()), CUT);
  });

  it('are BROKEN when they are no answers', async (t) => {
    const answers = [
      (id: number) => headers(id, [[':status', '103']], true),
      (id: number) => headers(id, [[':status', '101']]),
      (id: number) => headers(id, [['x-a', '1']]),
      (id: number) =>
        headers(id, [
          ['x-a', '1'],
          [':status', '200'],
        ]),
      (id: number) => ok(id, [['X-Upper', '1']]),
      (id: number) => ok(id, [['connection', 'close']]),
      (id: number) => data(id, 'body first'),
    ];
    for (const answer of answers) {
      const { ask } = await target(t, (peer, id) => peer.send(answer(id)));
      await assert.rejects(ask(), { name: 'TargetError', code: 'BROKEN' }, String(answer));
    }
  });

  it('are BROKEN when their header is above the limit', async (t) => {
    const fields = Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'v'.repeat(100)] as const);
    const { ask } = await target(t, (peer, id) => peer.send(ok(id, fields, true)), { maxHeaderBytes: 4096 });
    await assert.rejects(ask(), { name: 'TargetError', code: 'BROKEN' });
  });

  it('are TOO_LARGE above the limit of the reader, who resets the stream', async (t) => {
    const { ask, peers } = await target(t, (peer, id) => {
      peer.send(id === 1 ? ok(id, [['content-length', '9']]) : ok(id), data(id, 'too large'));
    });
    for (const id of [1, 3]) {
      await assert.rejects((await ask()).body.read(8), { name: 'BodyError', code: 'TOO_LARGE' });
      assert.equal(await peers[0]?.resetOf(id), CANCEL);
    }
  });

  it('leave nothing of one stalled reader in the way of others', async (t) => {
    const piece = 'x'.repeat(16_000);
    const { ask, peers } = await target(t, (peer, id) => {
      if (id === 1) peer.send(ok(id), ...Array.from({ length: 15 }, () => data(id, piece)));
      else peer.send(ok(id), data(id, piece, true));
    });
    const stalled = await ask();
    for (let i = 0; i < 50; i++) assert.equal((await (await ask()).body.read(20_000)).length, piece.length);
    peers[0]?.send(data(1, '', true));
    assert.equal((await stalled.body.read(1_000_000)).length, 15 * piece.length);
    assert.equal(peers.length, 1);
  });
});

describe('HTTP/2 answers to a relay', () => {
  it('are NOT_PROCESSED only where the peer says so: a refused stream, or one above the last of a GOAWAY', async (t) => {
    const authority = await createLocalAuthority(await temporaryFolder(t), Date.now());
    const { certificatePem, keyPem } = await authority.issue('gateway');
    let onSecond: (peer: Peer) => void = () => undefined;
    const { port, peers } = await framePeer(
      t,
      (peer, id, ended) => {
        if (ended && id === 3) onSecond(peer);
      },
      { server: createTls({ cert: certificatePem, key: keyPem.reveal(), ALPNProtocols: ['h2'] }) },
    );
    const { forward, close } = createForward({ extraRoots: [authority.rootPem] });
    t.after(() => close());
    const post = (): Promise<unknown> =>
      forward(
        {
          gateway: 'g',
          url: `https://localhost:${port}/`,
          method: 'POST',
          fields: [],
          body: bytes('sealed'),
          timeoutMs: 5000,
          allowPrivate: true,
        },
        never,
      );
    const cases: [(peer: Peer) => void, string, string][] = [
      [(peer) => peer.socket.end(goaway(1, NO_ERROR)), 'BROKEN', 'NOT_PROCESSED'],
      [(peer) => peer.socket.end(goaway(1, INTERNAL_ERROR)), 'BROKEN', 'NOT_PROCESSED'],
      [(peer) => peer.socket.end(goaway(1, REFUSED_STREAM)), 'BROKEN', 'NOT_PROCESSED'],
      [(peer) => peer.socket.end(goaway(3, REFUSED_STREAM)), 'BROKEN', 'BROKEN'],
      [(peer) => peer.socket.end(goaway(0, NO_ERROR)), 'NOT_PROCESSED', 'NOT_PROCESSED'],
      [(peer) => peer.send(reset(1, CANCEL), reset(3, REFUSED_STREAM)), 'BROKEN', 'NOT_PROCESSED'],
      [({ socket }) => socket.destroy(), 'BROKEN', 'BROKEN'],
    ];
    for (const [index, [end, first, second]] of cases.entries()) {
      onSecond = end;
      const codes = await Promise.all([post(), post()].map((sent) => sent.then(String, (error) => error.code)));
      assert.deepEqual(codes, [first, second], `case ${index}`);
      for (const { socket } of peers) socket.destroy();
    }
  });
});
