import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, type EventFields, errorFields, type LogOptions } from '../src/index.ts';

function capture(options: LogOptions = {}) {
  const lines: string[] = [];
  const log = createLog({ format: 'json', ...options, stream: { write: (line: string) => void lines.push(line) } });
  return { log, lines };
}

describe('createLog', () => {
  it('writes one JSON object with level, time, event and allowed fields', () => {
    const { log, lines } = capture();
    log.event('warn', 'replay_store_lost', { code: 'ECONNRESET', count: 2 });
    const { time, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.equal(typeof time, 'number');
    assert.deepEqual(rest, { level: 40, event: 'replay_store_lost', code: 'ECONNRESET', count: 2 });
  });

  it('drops fields that are not on the list, and addresses inside of values', () => {
    const { log, lines } = capture();
    const sneaky = { remoteAddress: '10.1.2.3', body: 'secret', code: 'x 10.1.2.3 y', path: '/a/2001:db8::1' };
    log.event('error', 'odd', sneaky as EventFields);
    assert.doesNotMatch(lines[0] ?? '', /10\.1\.2\.3|2001:db8|secret|remoteAddress/);
    assert.match(lines[0] ?? '', /\[address\]/);
  });

  it('keeps the own listening address', () => {
    const { log, lines } = capture();
    log.event('info', 'listening', { listen: 'https://127.0.0.1:8443' });
    assert.match(lines[0] ?? '', /https:\/\/127\.0\.0\.1:8443/);
  });

  it('obeys its level, also when it changes', () => {
    const { log, lines } = capture({ level: 'warn' });
    log.event('info', 'quiet');
    log.setLevel('debug');
    log.event('debug', 'loud');
    log.setLevel('silent');
    log.event('error', 'nothing');
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /loud/);
  });
});

describe('createLog for people', () => {
  it('writes one readable line', () => {
    const { log, lines } = capture({ format: 'human' });
    log.event('info', 'listening', { role: 'relay' });
    assert.match(lines.join(''), /INFO.*listening[\s\S]*role: "relay"/);
  });
});

describe('errorFields', () => {
  it('keeps class, code and positions but not the message', () => {
    const error = Object.assign(new RangeError('connect ECONNREFUSED 10.1.2.3:80'), { code: 'ECONNREFUSED' });
    const fields = errorFields(error);
    assert.equal(fields.errorName, 'RangeError');
    assert.equal(fields.code, 'ECONNREFUSED');
    assert.ok((fields.stack?.length ?? 0) > 0);
    assert.doesNotMatch(JSON.stringify(fields), /10\.1\.2\.3/);
    assert.deepEqual(errorFields('text'), { errorName: 'string' });
  });
});
