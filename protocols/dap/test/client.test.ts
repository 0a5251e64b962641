/** Keys, tasks, reports and uploads. DAP §4.2 and §4.4. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes, DecodeError, fromHex, isPromiseLike, toHex } from '@privacy-edge/bytes';
import { rational } from '@privacy-edge/dp';
import { exportPrivateKey, KEM_MLKEM768_X25519 } from '@privacy-edge/hpke';
import fc from 'fast-check';
import {
  checkUpload,
  createTask,
  createTaskConfiguration,
  formatTaskprov,
  generateHpkeKey,
  HPKE_CONFIG_PATH,
  HpkeConfig,
  importHpkeKey,
  inputShareInfo,
  isProblemCode,
  isRetryable,
  isSameTask,
  isVersionTag,
  mediaTypeOf,
  messageNameOf,
  parseResourceId,
  parseTaskId,
  parseTaskprov,
  prepareOpener,
  prepareReports,
  prepareSealer,
  problemCode,
  problemType,
  REPORT_ERROR,
  Report,
  readTaskExtensions,
  reportErrorName,
  reportsPath,
  requestDigest,
  resourceId,
  resourcePath,
  resourceUrl,
  selectHpkeConfig,
  taskprovTaskId,
  taskprovVerifyKey,
  taskTime,
  UploadReader,
  UploadRequest,
  unsupportedExtensions,
  vdafContext,
  writeTaskExtensions,
} from '../src/index.ts';
import {
  codeOf,
  extension,
  flipBit,
  NOTHING,
  NOW,
  NOW_TIME,
  numRuns,
  parameters,
  parties,
  random,
  TASK_ID,
} from './fixture.ts';
import { toyVdaf } from './toy-vdaf.ts';

describe('createTask()', () => {
  it('refuses what nobody should take part in', async () => {
    const refused = [
      { minBatchSize: 0 },
      { timePrecision: 0 },
      { batchMode: 0 },
      { batchMode: 3 },
      { batchConfig: Uint8Array.of(1) },
      { extensions: [extension(7)] },
      { extensions: [extension(1, 2, 3)] },
      { vdafType: 1, vdafConfiguration: Uint8Array.of(1) },
    ];
    for (const changes of refused) {
      const configuration = createTaskConfiguration(parameters(changes));
      assert.equal(await codeOf(() => createTask(TASK_ID, configuration)), 'TASK_UNSUPPORTED');
    }
    assert.throws(() => createTask(new Uint8Array(31), createTaskConfiguration(parameters())), RangeError);
  });

  it('reads the extensions there are', () => {
    const extensions = {
      taskInterval: { start: 277, duration: 28 },
      multiCollection: { maxCollections: 16 },
      dp: { mechanism: { kind: 'laplace', epsilon: rational(1n, 2n) }, adjacency: 'addition' },
    } as const;
    const task = createTask(TASK_ID, createTaskConfiguration(parameters({}, extensions)));
    assert.deepEqual(task.extensions, extensions);
    assert.deepEqual(readTaskExtensions(writeTaskExtensions(extensions)), extensions);
    assert.deepEqual(
      writeTaskExtensions(extensions).map(({ extensionType }) => extensionType),
      [0x0001, 0xff50, 0xff51],
    );
  });

  it('keeps an unknown VDAF for who knows it', () => {
    const task = createTask(TASK_ID, createTaskConfiguration(parameters({ vdafConfiguration: Uint8Array.of(1) })));
    assert.equal(task.vdafConfiguration.kind, 'unknown');
  });

  it('tells tasks apart by every byte and by their version', () => {
    const configuration = createTaskConfiguration(parameters());
    const task = createTask(TASK_ID, configuration);
    assert.equal(isSameTask(task, createTask(TASK_ID, configuration)), true);
    assert.equal(isSameTask(task, createTask(TASK_ID, configuration, 'dap-19')), false);
    const other = createTaskConfiguration(parameters({ helperAggregatorEndpoint: 'https://helper.example/' }));
    assert.equal(isSameTask(task, createTask(TASK_ID, other)), false);
  });

  it('rounds times down to its precision', () => {
    const task = createTask(TASK_ID, createTaskConfiguration(parameters()));
    assert.equal(taskTime(task, NOW), NOW_TIME);
    assert.equal(taskTime(task, new Date(NOW.getTime() - 1)), NOW_TIME - 1);
    assert.equal(taskTime(task, new Date(NOW.getTime() + 59_999)), NOW_TIME);
  });
});

describe('Version tags', () => {
  it('go into context and info', () => {
    assert.equal(isVersionTag('dap-18') && isVersionTag('dap-19'), true);
    assert.equal(isVersionTag('dap-17'), false);
    assert.equal(toHex(inputShareInfo('dap-18', 2)), '6461702d313820696e7075742073686172650102');
    assert.equal(toHex(vdafContext('dap-19', TASK_ID)), `6461702d3139${toHex(TASK_ID)}`);
  });
});

describe('selectHpkeConfig()', () => {
  it('takes the first that can be used, and passes over the others', async () => {
    const { config } = await generateHpkeKey(1, random);
    const unknown: HpkeConfig = { ...config, id: 2, kemId: 0x9999 };
    const short: HpkeConfig = { ...config, id: 3, publicKey: config.publicKey.subarray(1) };
    const exportOnly: HpkeConfig = { ...config, id: 4, aeadId: 0xffff };
    const twice: HpkeConfig = { ...config, id: 5 };
    assert.equal(selectHpkeConfig([unknown, short, exportOnly, twice, { ...twice }, config]), config);
    for (const list of [[], [unknown], [short, exportOnly], [twice, { ...twice }]]) {
      assert.equal(await codeOf(() => selectHpkeConfig(list)), 'CONFIG_UNUSABLE');
    }
  });
});

describe('HPKE keys', () => {
  it('are stored and come back', async () => {
    const key = await generateHpkeKey(7, random);
    const back = await importHpkeKey(
      HpkeConfig.decode(HpkeConfig.encode(key.config)),
      exportPrivateKey(key.privateKey),
    );
    const info = Uint8Array.of(1);
    const sealed = await (await prepareSealer(key.config, info)).seal(NOTHING, Uint8Array.of(5), random);
    const opener = await prepareOpener(back, info);
    assert.deepEqual(await opener.open(NOTHING, sealed), Uint8Array.of(5));
    assert.equal(await codeOf(() => opener.open(Uint8Array.of(0), sealed)), 'OPEN_FAILED');
    assert.equal(await codeOf(() => opener.open(NOTHING, { ...sealed, configId: 8 })), 'OPEN_FAILED');
  });

  it('do not come back when the halves differ', async () => {
    const [a, b] = [await generateHpkeKey(1, random), await generateHpkeKey(1, random)];
    const secret = exportPrivateKey(a.privateKey);
    assert.equal(await codeOf(() => importHpkeKey(b.config, secret)), 'CONFIG_UNUSABLE');
    assert.equal(await codeOf(() => importHpkeKey(a.config, secret.subarray(1))), 'CONFIG_UNUSABLE');
    assert.equal(await codeOf(() => importHpkeKey({ ...a.config, kdfId: 99 }, secret)), 'CONFIG_UNUSABLE');
  });

  it('of no use to a client are refused', async () => {
    const { config } = await generateHpkeKey(1, random);
    const lowOrder = { ...config, publicKey: new Uint8Array(32) };
    const task = createTask(TASK_ID, createTaskConfiguration(parameters()));
    assert.equal(
      await codeOf(async () => {
        const maker = await prepareReports(task, toyVdaf(), lowOrder, config);
        await maker.createReport(1, NOW, random);
      }),
      'CONFIG_UNUSABLE',
    );
    const foreign = { ...config, kemId: KEM_MLKEM768_X25519 };
    assert.equal(await codeOf(() => prepareReports(task, toyVdaf(), config, foreign)), 'CONFIG_UNUSABLE');
  });
});

describe('ReportMaker', () => {
  it('needs no waiting where the backend is synchronous', async () => {
    const { maker } = await parties();
    assert.equal(isPromiseLike(maker.createReport(1, NOW, random)), false);
  });

  it('makes another report each time, with a time of low precision', async () => {
    const { maker } = await parties();
    const later = new Date(NOW.getTime() + 12_345);
    const [a, b] = [await maker.createReport(1, later, random), await maker.createReport(1, later, random)];
    assert.equal(a.reportMetadata.time, NOW_TIME);
    assert.notDeepEqual(a.reportMetadata.reportId, b.reportMetadata.reportId);
    assert.notDeepEqual(a.leaderEncryptedInputShare.enc, b.leaderEncryptedInputShare.enc);
    assert.notDeepEqual(a.leaderEncryptedInputShare.enc, a.helperEncryptedInputShare.enc);
  });
});

describe('checkUpload()', () => {
  it('says why a report is not taken', async () => {
    const { leader, maker } = await parties({ extensions: { taskInterval: { start: NOW_TIME, duration: 100 } } });
    const check = (report: Report, known = true): number | undefined =>
      checkUpload(leader.task, report, () => known, NOW);
    const at = async (units: number, types: readonly number[] = []): Promise<Report> =>
      maker.createReport(1, new Date(NOW.getTime() + 60_000 * units), random, {
        public: types.map((type) => extension(type)),
      });
    assert.equal(check(await at(0)), undefined);
    assert.equal(check(await at(5)), undefined);
    assert.equal(check(await at(6)), REPORT_ERROR.REPORT_TOO_EARLY);
    assert.equal(check(await at(-1)), REPORT_ERROR.REPORT_DROPPED);
    assert.equal(check(await at(100)), REPORT_ERROR.REPORT_DROPPED);
    assert.equal(check(await at(0), false), REPORT_ERROR.OUTDATED_CONFIG);
    assert.equal(check(await at(0, [5])), REPORT_ERROR.INVALID_MESSAGE);
    assert.deepEqual(unsupportedExtensions(leader.task, [await at(0, [42]), await at(0, [23, 42])]), [23, 42]);
  });
});

describe('UploadReader', () => {
  it('gives the same reports however the body is cut', async () => {
    const { maker } = await parties();
    const reports: Report[] = [];
    for (let i = 0; i < 4; i++) {
      const extensions = { public: Array.from({ length: i }, (_, type) => extension(type, 1, 2, 3)) };
      reports.push(Report.decode(Report.encode(await maker.createReport(i, NOW, random, extensions))));
    }
    const body = UploadRequest.encode(reports);
    fc.assert(
      fc.property(fc.array(fc.nat(body.length), { maxLength: 20 }), (cuts) => {
        const reader = new UploadReader(1000);
        const at = [0, ...cuts.sort((a, b) => a - b), body.length];
        const read = at.slice(1).flatMap((end, i) => reader.push(body.slice(at[i], end)));
        reader.end();
        assert.deepEqual(read, reports);
      }),
      { numRuns: Math.ceil(numRuns / 10) },
    );
    const bytes = new UploadReader(1000);
    assert.equal([...body].flatMap((byte) => bytes.push(Uint8Array.of(byte))).length, 4);
  });

  it('refuses a body that ends inside of a report, and a report that is too long before it is there', async () => {
    const { maker } = await parties();
    const body = Report.encode(await maker.createReport(1, NOW, random));
    const cut = new UploadReader(1000);
    assert.deepEqual(cut.push(body.subarray(0, -1)), []);
    assert.throws(() => cut.end(), { code: 'TRUNCATED' });
    assert.throws(() => new UploadReader(body.length - 1).push(body.subarray(0, -10)), { code: 'LIMIT' });
    const announced = concatBytes(new Uint8Array(26), fromHex('ffffffff'));
    assert.throws(() => new UploadReader(100_000).push(announced), { code: 'LIMIT' });
  });

  it('throws nothing but DecodeError, and agrees with the codec', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        const outcome = (read: () => unknown): unknown => {
          try {
            return read();
          } catch (error) {
            assert.ok(error instanceof DecodeError);
            return undefined;
          }
        };
        const streamed = outcome(() => {
          const reader = new UploadReader(100_000);
          const reports = reader.push(body);
          reader.end();
          return reports;
        });
        assert.deepEqual(
          streamed,
          outcome(() => UploadRequest.decode(body)),
        );
      }),
      { numRuns },
    );
  });
});

describe('Report errors and problem types', () => {
  it('have the names of the standard', () => {
    assert.equal(reportErrorName(REPORT_ERROR.HPKE_DECRYPT_ERROR), 'hpke_decrypt_error');
    assert.equal(reportErrorName(200), 'other');
    assert.equal(isRetryable(REPORT_ERROR.REPORT_TOO_EARLY), true);
    assert.equal(isRetryable(REPORT_ERROR.INVALID_MESSAGE), false);
    const type = 'urn:ietf:params:ppm:dap:error:batchMismatch';
    assert.equal(problemType('BATCH_MISMATCH'), type);
    assert.equal(problemCode(type), 'BATCH_MISMATCH');
    assert.equal(problemCode('about:blank'), undefined);
    assert.equal(isProblemCode('OPEN_FAILED'), false);
    assert.equal(isProblemCode('INVALID_TASK'), true);
  });
});

describe('Media types', () => {
  it('name their message, with or without a version', () => {
    const type = mediaTypeOf('upload-req');
    assert.equal(messageNameOf(type), 'upload-req');
    assert.equal(messageNameOf('Application/PPM-DAP; version=18; Message="upload-req"'), 'upload-req');
    for (const other of [undefined, '', 'text/plain;message=upload-req', 'application/ppm-dap', `${type};message=x`]) {
      assert.equal(messageNameOf(other), undefined);
    }
  });
});

describe('Resources', () => {
  it('have identifiers that follow from key, kind, task, body and generation, and from nothing else', () => {
    const key = new Uint8Array(32);
    const body = Uint8Array.of(1, 2);
    const id = resourceId(key, 'collection_jobs', TASK_ID, body);
    assert.equal(id.length, 16);
    assert.deepEqual(resourceId(key, 'collection_jobs', TASK_ID, body), id);
    const others = [
      resourceId(key.slice().fill(1), 'collection_jobs', TASK_ID, body),
      resourceId(key, 'aggregate_shares', TASK_ID, body),
      resourceId(key, 'collection_jobs', flipBit(TASK_ID, 0), body),
      resourceId(key, 'collection_jobs', TASK_ID, body.subarray(1)),
      resourceId(key, 'collection_jobs', TASK_ID, body, 1),
    ];
    assert.equal(new Set([id, ...others].map(toHex)).size, 6);
    assert.equal(requestDigest(body).length, 32);
  });

  it('are where the standard says', () => {
    const taskId = fromHex('f016344736 4ccf1bc0e3affcca6873c9c381f64acdf9020662f83f46c07219e7'.replace(' ', ''));
    const jobId = fromHex('95ceda51e1a9752368b0d961f9466128');
    const url =
      'https://example.com/api/dap/tasks/8BY0RzZMzxvA46_8ymhzycOB9krN-QIGYvg_RsByGec/aggregation_jobs/lc7aUeGpdSNosNlh-UZhKA';
    const path = resourcePath(taskId, 'aggregation_jobs', jobId);
    assert.equal(resourceUrl('https://example.com/api/dap', path), url);
    assert.equal(resourceUrl('https://example.com/api/dap/', path), url);
    assert.equal(resourceUrl('https://a.example/', HPKE_CONFIG_PATH), 'https://a.example/hpke_config');
    assert.match(reportsPath(taskId), /^tasks\/[\w-]{43}\/reports$/);
    assert.deepEqual(parseTaskId('8BY0RzZMzxvA46_8ymhzycOB9krN-QIGYvg_RsByGec'), taskId);
    assert.equal(parseTaskId('8BY0'), undefined);
    assert.equal(parseTaskId('8BY0RzZMzxvA46_8ymhzycOB9krN-QIGYvg_RsByGe='), undefined);
    assert.deepEqual(parseResourceId('lc7aUeGpdSNosNlh-UZhKA'), jobId);
    assert.equal(parseResourceId('../x'), undefined);
  });
});

describe('Taskprov', () => {
  const configuration = createTaskConfiguration(parameters());
  const value = formatTaskprov(configuration);

  it('reads what it writes, with or without parameters', () => {
    for (const received of [value, ` ${value} `, `${value};a=1`, `${value}; b="x"`]) {
      assert.deepEqual(parseTaskprov(received), configuration);
    }
  });

  it('ignores everything else', () => {
    const values = [
      undefined,
      '',
      '"text"',
      'token',
      '1',
      '::',
      ':AA:',
      ':A:',
      value.slice(1),
      `${value}, ${value}`,
      `${value}x`,
    ];
    for (const received of values) assert.equal(parseTaskprov(received), undefined);
  });

  it('derives task and key', () => {
    const taskId = taskprovTaskId(configuration);
    assert.equal(taskId.length, 32);
    assert.equal(taskprovVerifyKey(new Uint8Array(32), taskId, 16).length, 16);
    assert.throws(() => taskprovVerifyKey(new Uint8Array(31), taskId, 32), RangeError);
  });
});
