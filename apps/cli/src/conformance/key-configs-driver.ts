/** Vectors of `application/ohttp-keys`. */
import { DecodeError } from '@privacy-edge/bytes';
import { systemRandom } from '@privacy-edge/hpke';
import { isSuiteUsable, KeyConfigList, OhttpError, prepareEncapsulator, selectSuite } from '@privacy-edge/ohttp';
import { SAME, type Verdict } from './kind.ts';
import { expectBytes, expectFailure, expectSame, type Vector, VectorError } from './vector.ts';

/** Checks a list: taken, discarded as a whole, or readable without being usable. RFC 9458 §3. */
export async function checkKeyConfigs(vector: Vector): Promise<Verdict> {
  const bytes = vector.hex('hex');
  const expected = vector.text('expect');
  switch (expected) {
    case 'ok':
      checkUsable(vector, bytes);
      break;
    case 'discard-collection':
      await expectFailure(
        'the list',
        () => KeyConfigList.decode(bytes),
        (error) => error instanceof DecodeError,
      );
      break;
    case 'parses-but-refused':
      await checkRefused(bytes);
      break;
    default:
      throw new VectorError('UNREADABLE', `Cannot read vector: "${expected}" is no known expectation`);
  }
  return SAME;
}

function checkUsable(vector: Vector, bytes: Uint8Array): void {
  const { usable, skipped } = KeyConfigList.decode(bytes);
  expectSame('skipped configurations', skipped, vector.integer('skipped_unknown'));
  const wanted = vector.vectors('usable');
  expectSame('usable configurations', usable.length, wanted.length);
  for (const [i, config] of usable.entries()) {
    const recorded = wanted[i];
    if (recorded === undefined) continue;
    expectSame(`key id ${i}`, config.keyId, recorded.integer('key_id'));
    expectSame(`KEM ${i}`, config.kemId, recorded.integer('kem_id'));
    expectBytes(`public key ${i}`, config.publicKey, recorded.hex('public_key'));
    const suites = recorded.vectors('suites').map((suite) => [suite.integer('kdf_id'), suite.integer('aead_id')]);
    const offered = config.suites.map((suite) => [suite.kdfId, suite.aeadId]);
    expectSame(`suites ${i}`, offered, suites);
  }
  const selected = selectSuite(usable);
  if (selected === undefined) throw new VectorError('MISMATCH', 'nothing in the list is selected');
  expectSame('the selected suite is usable', isSuiteUsable(selected.config.kemId, selected.suite), true);
}

/** A client that may read the list must still not send anything with it. */
async function checkRefused(bytes: Uint8Array): Promise<void> {
  const { usable } = KeyConfigList.decode(bytes);
  const selected = selectSuite(usable);
  if (selected === undefined) return;
  const use = async (): Promise<unknown> => {
    const encapsulator = await prepareEncapsulator(selected.config, selected.suite);
    return encapsulator.encapsulate(new Uint8Array(1), systemRandom);
  };
  await expectFailure('a request with this list', use, (error) => error instanceof OhttpError);
}
