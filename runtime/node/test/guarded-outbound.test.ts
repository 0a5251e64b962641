import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connectGuarded, type OutboundRoute } from '../src/guarded-outbound.ts';
import { createLocalAuthority, isPublicAddress, serve, silentLog } from '../src/index.ts';
import { listenOn, temporaryFolder } from './support.ts';

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.0.1',
  '172.32.0.1',
  '192.0.1.1',
  '198.17.255.255',
  '198.20.0.1',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2001:4860:4860::8888',
  '2a00:1450:4001:81b::200e',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
  '2002:0808:0808::1',
];

const REFUSED = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::127.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '2002:a00:1::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd12:3456:789a::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'ff0e::1',
  '2606:4700::5efe:10.0.0.1',
  '2606:4700::200:5efe:10.0.0.1',
  '4000::1',
  'e000::1',
  '',
  'localhost',
  '1.2.3',
  '0x7f.1',
  '2130706433',
  '127.1',
  '[::1]',
  '1.1.1.1:80',
];

describe('isPublicAddress', () => {
  it('accepts global unicast addresses', () => {
    for (const address of PUBLIC) assert.equal(isPublicAddress(address), true, address);
  });
  it('refuses every special range, every wrapping of one, and text that is no plain address', () => {
    for (const address of REFUSED) assert.equal(isPublicAddress(address), false, address);
  });
  it('sees through 6to4, NAT64 and mapping the same way for all IPv4 addresses of the lists', () => {
    const v4 = (list: string[]) => list.filter((address) => /^\d+\.\d+\.\d+\.\d+$/.test(address));
    for (const [list, verdict] of [
      [v4(PUBLIC), true],
      [v4(REFUSED), false],
    ] as const) {
      for (const address of list) {
        const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
        const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        for (const wrapped of [`::ffff:${hex}`, `64:ff9b::${hex}`, `2002:${hex}::1`]) {
          assert.equal(isPublicAddress(wrapped), verdict, wrapped);
        }
      }
    }
  });
});

describe('connectGuarded', () => {
  const route = (change: Partial<OutboundRoute>): OutboundRoute => ({
    host: 'name.example',
    port: 1,
    secure: false,
    socketPath: undefined,
    allowPrivate: false,
    protocols: ['http/1.1'],
    connectTimeoutMs: 2000,
    extraRoots: [],
    resolve: () => Promise.reject(new TypeError('no resolver')),
    ...change,
  });

  it('refuses a literal before any connection is made', async (t) => {
    let connections = 0;
    const port = await listenOn(
      t,
      createServer(() => connections++),
    );
    await assert.rejects(connectGuarded(route({ host: '127.0.0.1', port })), { code: 'FORBIDDEN_ADDRESS' });
    assert.equal(connections, 0);
  });

  it('resolves once, and refuses a name when any of its addresses is private', async () => {
    let asked = 0;
    const resolve = async () => {
      asked++;
      return [
        { address: '1.1.1.1', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ];
    };
    await assert.rejects(connectGuarded(route({ resolve })), { code: 'FORBIDDEN_ADDRESS' });
    assert.equal(asked, 1);
  });

  it('connects to a private address only where the operator allowed it, trying one address after the other', async (t) => {
    const server = createServer();
    const port = await listenOn(t, server);
    const resolve = async () => [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    const accepted = once(server, 'connection');
    const socket = await connectGuarded(route({ resolve, port, allowPrivate: true }));
    assert.equal(socket.remoteAddress, '127.0.0.1');
    await accepted;
    socket.destroy();
  });

  it('says CONNECT_FAILED for a refused connection, an unknown name, no address, and a resolver that hangs', async (t) => {
    const server = createServer();
    const port = await listenOn(t, server);
    server.close();
    await once(server, 'close');
    const failing = [
      route({ host: '127.0.0.1', port, allowPrivate: true }),
      route({}),
      route({ resolve: async () => [] }),
      route({ resolve: () => new Promise(() => undefined), connectTimeoutMs: 20 }),
    ];
    for (const to of failing) await assert.rejects(connectGuarded(to), { code: 'CONNECT_FAILED' });
  });

  it('gives up a handshake that hangs', async (t) => {
    const port = await listenOn(
      t,
      createServer((socket) => socket.on('error', () => undefined).resume()),
    );
    const to = route({ host: '127.0.0.1', port, allowPrivate: true, secure: true, connectTimeoutMs: 50 });
    await assert.rejects(connectGuarded(to), { code: 'CONNECT_FAILED' });
  });

  it('checks the certificate for the name of the route, with extra roots beside the system', async (t) => {
    const folder = await temporaryFolder(t);
    const authority = await createLocalAuthority(folder, Date.now());
    const certificate = await authority.issue('x', ['name.example']);
    const listener = await serve(async () => ({ status: 204, fields: [], body: null }), {
      log: silentLog,
      certificate,
    });
    t.after(() => listener.close(0));
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const to = { port: listener.port, secure: true, allowPrivate: true, resolve };
    const extraRoots = [authority.rootPem];
    for (const host of ['name.example', '127.0.0.1'])
      (await connectGuarded(route({ ...to, host, extraRoots }))).destroy();
    await assert.rejects(connectGuarded(route(to)), { code: 'CONNECT_FAILED' }, 'unknown authority');
    await assert.rejects(connectGuarded(route({ ...to, host: 'other.example', extraRoots })), {
      code: 'CONNECT_FAILED',
    });
    const other = await createLocalAuthority(join(folder, 'b'), Date.now());
    await assert.rejects(connectGuarded(route({ ...to, extraRoots: [other.rootPem] })), { code: 'CONNECT_FAILED' });
  });

  it('refuses a peer that does not speak HTTP/2 on a route for HTTP/2 only', async (t) => {
    const authority = await createLocalAuthority(await temporaryFolder(t), Date.now());
    const certificate = await authority.issue('x');
    const listener = await serve(async () => ({ status: 204, fields: [], body: null }), {
      log: silentLog,
      certificate,
      http2: false,
    });
    t.after(() => listener.close(0));
    const to = { host: 'localhost', port: listener.port, secure: true, allowPrivate: true };
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    await assert.rejects(
      connectGuarded(route({ ...to, resolve, extraRoots: [authority.rootPem], protocols: ['h2'] })),
      { code: 'CONNECT_FAILED' },
    );
  });
});
