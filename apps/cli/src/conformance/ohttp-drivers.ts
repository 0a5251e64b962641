/** Vectors of whole Oblivious HTTP messages. */

import { decodeRequest } from '@privacy-edge/bhttp';
import { utf8 } from '@privacy-edge/bytes';
import {
  KeyConfigList,
  type Labels,
  prepareEncapsulator,
  ResponseOpener,
  receiveRequest,
  WHOLE_LABELS,
} from '@privacy-edge/ohttp';
import { SAME, type Verdict } from './kind.ts';
import {
  checkResponseSecrets,
  gatewayPrivateKey,
  gatewayWith,
  readKeyConfig,
  recipientContext,
} from './ohttp-parts.ts';
import { expectedRefusal, type SuiteIds, suiteIds } from './suites.ts';
import { expectBytes, expectSame, recordedRandom, type Vector } from './vector.ts';

/** A whole exchange with every value between. RFC 9458 §A. */
export async function checkMessages(vector: Vector): Promise<Verdict> {
  const ids = suiteIds(vector);
  const refusal = await expectedRefusal(ids);
  if (refusal !== undefined) return refusal;
  const labels = labelsOf(vector);
  const privateKey = await gatewayPrivateKey(vector, ids.kemId);
  const findKey = await gatewayWith(vector.integer('key_id'), privateKey, ids, labels);
  const message = vector.hex('encapsulated_request');
  const opened = await receiveRequest(message, findKey).open();
  if (vector.flag('decapsulate_only')) {
    decodeRequest(opened.request);
    return SAME;
  }
  expectBytes('opened request', opened.request, vector.hex('request'));
  const sealed = await opened.response.seal(vector.hex('response'), recordedRandom(vector.hex('response_nonce')));
  expectBytes('encapsulated response', sealed, vector.hex('encapsulated_response'));
  const recorded = await recipientContext(message, privateKey, ids, labels.request);
  expectBytes('info', recorded.info, vector.hex('info'));
  await checkResponseSecrets(vector, recorded, labels.response);
  const config = readKeyConfig(vector, ids, privateKey);
  await checkClient(vector, ids, config, labels);
  return SAME;
}

async function checkClient(
  vector: Vector,
  ids: SuiteIds,
  config: ReturnType<typeof readKeyConfig>,
  labels: Labels,
): Promise<void> {
  if (vector.has('ohttp_keys')) {
    const { usable, skipped } = KeyConfigList.decode(vector.hex('ohttp_keys'));
    expectSame('usable and skipped configurations', [usable.length, skipped], [1, 0]);
    expectBytes('list encoded again', KeyConfigList.encode([config]), vector.hex('ohttp_keys'));
  }
  const encapsulator = await prepareEncapsulator(config, { kdfId: ids.kdfId, aeadId: ids.aeadId }, labels);
  const random = recordedRandom(vector.hex('skEm'));
  const { message, response } = await encapsulator.encapsulate(vector.hex('request'), random);
  expectBytes('encapsulated request', message, vector.hex('encapsulated_request'));
  expectBytes('opened response', await response.open(vector.hex('encapsulated_response')), vector.hex('response'));
}

function labelsOf(vector: Vector): Labels {
  return {
    request: vector.has('request_label') ? vector.text('request_label') : WHOLE_LABELS.request,
    response: vector.has('response_label') ? vector.text('response_label') : WHOLE_LABELS.response,
  };
}

/** An exchange that a peer made with its own randomness: both messages have to open. */
export async function checkPeerExchange(vector: Vector): Promise<Verdict> {
  const ids = suiteIds(vector);
  const refusal = await expectedRefusal(ids);
  if (refusal !== undefined) return refusal;
  const privateKey = await gatewayPrivateKey(vector, ids.kemId);
  readKeyConfig(vector, ids, privateKey);
  const message = vector.hex('encapsulated_request');
  const findKey = await gatewayWith(vector.integer('key_id'), privateKey, ids);
  const opened = await receiveRequest(message, findKey).open();
  expectBytes('opened request', opened.request, vector.hex('request'));
  decodeRequest(opened.request);
  // Both ends export the same secret, so the gateway's context opens what the peer's gateway sealed.
  const { suite, context, enc } = await recipientContext(message, privateKey, ids, WHOLE_LABELS.request);
  const opener = new ResponseOpener(suite, context, utf8(WHOLE_LABELS.response), enc);
  expectBytes('opened response', await opener.open(vector.hex('encapsulated_response')), vector.hex('response'));
  return SAME;
}
