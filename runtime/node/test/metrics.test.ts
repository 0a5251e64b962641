import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics, serveAdmin, silentLog } from '../src/index.ts';
import { bytes, talk } from './support.ts';

describe('createMetrics', () => {
  it('shows every combination of labels from the start, and counts', async () => {
    const metrics = createMetrics({ processMetrics: false });
    const labels = { outcome: ['ok', 'failed'], chunked: ['yes', 'no'] } as const;
    const requests = metrics.counter({ name: 'requests_total', help: 'Requests', labels });
    const ok = requests.at({ outcome: 'ok', chunked: 'no' });
    ok.add();
    ok.add(2);
    const text = await metrics.text();
    assert.match(text, /# HELP requests_total Requests\n# TYPE requests_total counter\n/);
    assert.match(text, /requests_total\{outcome="ok",chunked="no"\} 3\n/);
    assert.match(text, /requests_total\{outcome="failed",chunked="yes"\} 0\n/);
    assert.equal(text.match(/^requests_total\{/gm)?.length, 4);
  });

  it('makes an unknown label value impossible: for the compiler, and at run time', () => {
    const metrics = createMetrics({ processMetrics: false });
    const family = metrics.gauge({ name: 'keys', help: 'Keys', labels: { state: ['active', 'next'] } });
    // @ts-expect-error the value is not declared
    assert.throws(() => family.at({ state: '10.1.2.3' }), { code: 'METRIC_INVALID' });
    // @ts-expect-error the label is missing
    assert.throws(() => family.at({}), { code: 'METRIC_INVALID' });
  });

  it('refuses a second metric of a name, a bad name and too many combinations', () => {
    const metrics = createMetrics({ processMetrics: false });
    const declare = (name: string, values: string[]) =>
      metrics.counter({ name, help: 'x', labels: { a: values, b: values } });
    declare('twice', ['x']);
    assert.throws(() => declare('twice', ['x']), { code: 'METRIC_INVALID' });
    assert.throws(() => declare('Bad-Name', ['x']), { code: 'METRIC_INVALID' });
    const many = Array.from({ length: 40 }, (_, i) => String(i));
    assert.throws(() => declare('many', many), { code: 'METRIC_INVALID' });
  });

  it('writes histograms with cumulative buckets, sum and count', async () => {
    const metrics = createMetrics({ processMetrics: false });
    const sizes = metrics.histogram({ name: 'size_bytes', help: 'Sizes', labels: {} }, [10, 100]).at({});
    for (const size of [5, 10, 11, 1000]) sizes.observe(size);
    const text = await metrics.text();
    for (const line of [
      'size_bytes_bucket{le="10"} 2',
      'size_bytes_bucket{le="100"} 3',
      'size_bytes_bucket{le="+Inf"} 4',
      'size_bytes_sum 1026',
      'size_bytes_count 4',
    ])
      assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
  });

  it('adds the snapshots of other threads', async () => {
    const one = () => {
      const metrics = createMetrics({ processMetrics: false });
      const requests = metrics.counter({ name: 'requests_total', help: 'x', labels: { outcome: ['ok'] } });
      requests.at({ outcome: 'ok' }).add(2);
      metrics.histogram({ name: 'h', help: 'x', labels: {} }, [1]).at({}).observe(1);
      return metrics;
    };
    const others = structuredClone([await one().snapshot(), await one().snapshot()]);
    const text = await one().text(others);
    assert.match(text, /requests_total\{outcome="ok"\} 6\n/);
    assert.match(text, /h_bucket\{le="1"\} 3\n/);
    assert.match(text, /h_count 3\n/);
  });

  it('has process metrics, and values read when asked', async () => {
    const metrics = createMetrics();
    let value = 1;
    metrics.observedGauge('fill', 'Fill', () => value);
    value = 7;
    const text = await metrics.text();
    assert.match(text, /^process_cpu_user_seconds_total /m);
    assert.match(text, /^fill 7$/m);
  });
});

describe('serveAdmin', () => {
  it('serves metrics, health, readiness and more routes', async (t) => {
    let ready = false;
    const metrics = createMetrics({ processMetrics: false });
    metrics.counter({ name: 'a_total', help: 'x', labels: {} });
    const listener = await serveAdmin({
      log: silentLog,
      metrics,
      ready: () => ready,
      routes: { 'POST /rotate': async () => ({ status: 202, fields: [], body: bytes('rotating') }) },
    });
    t.after(() => listener.close(0));
    const ask = (line: string): Promise<string> =>
      talk(listener.port, `${line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
    assert.match(await ask('GET /metrics?x'), /^HTTP\/1\.1 200 [\s\S]*text\/plain; version=0\.0\.4[\s\S]*a_total 0/);
    assert.match(await ask('GET /healthz'), /^HTTP\/1\.1 200 /);
    assert.match(await ask('GET /readyz'), /^HTTP\/1\.1 503 /);
    ready = true;
    assert.match(await ask('GET /readyz'), /^HTTP\/1\.1 200 [\s\S]*no-store/);
    assert.match(await ask('POST /rotate'), /rotating/);
    assert.match(await ask('GET /rotate'), /^HTTP\/1\.1 404 /);
    assert.match(await ask('HEAD /healthz'), /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/);
  });

  it('answers by its own names only, so that no web page can be rebound to it', async (t) => {
    const listener = await serveAdmin({
      log: silentLog,
      metrics: createMetrics({ processMetrics: false }),
      ready: () => true,
      names: ['Metrics.internal'],
      routes: { 'POST /rotate': async () => ({ status: 202, fields: [], body: null }) },
    });
    t.after(() => listener.close(0));
    const ask = async (host: string, line = 'GET /metrics HTTP/1.1'): Promise<string> =>
      (await talk(listener.port, `${line}\r\n${host}connection: close\r\n\r\n`)).slice(9, 12);
    const own = [
      'localhost',
      'localhost:',
      'LOCALHOST:1',
      '127.0.0.1',
      '127.0.0.1:9442',
      '[::1]:9442',
      '[::1]',
      '10.1.2.3:80',
    ];
    for (const host of [...own, 'metrics.internal', 'METRICS.INTERNAL:9442']) {
      assert.equal(await ask(`host: ${host}\r\n`), '200', host);
    }
    assert.equal(await ask('', 'GET /metrics HTTP/1.0'), '200', 'a probe of the old kind');
    const foreign = [
      'evil.example',
      'evil.example:9442',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'x@localhost',
    ];
    for (const host of [...foreign, '127.1', '2130706433', '[::1', '[127.0.0.1]', 'metrics', '']) {
      assert.equal(await ask(`host: ${host}\r\n`), '421', host);
      assert.equal(
        await ask(`host: ${host}\r\n`, 'POST /rotate HTTP/1.1'),
        host === 'localhost:' ? '202' : '421',
        host,
      );
    }
  });
});
