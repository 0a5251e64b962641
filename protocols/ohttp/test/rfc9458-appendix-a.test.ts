/** The complete example of RFC 9458 §A, typed in: every value that it prints. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes, fromHex, toHex } from '@privacy-edge/bytes';
import { importPrivateKey, kdfById, setupBaseRecipient, suiteOf } from '@privacy-edge/hpke';
import {
  KeyConfig,
  KeyConfigList,
  prepareEncapsulator,
  receiveRequest,
  selectSuite,
  WHOLE_LABELS,
} from '../src/index.ts';
import { encodeHeader, requestInfo } from '../src/labels.ts';
import { deriveResponseKeys } from '../src/response-keys.ts';
import { fixedRandom, keyOf } from './fixture.ts';

const GATEWAY_SECRET = '3c168975674b2fa8e465970b79c8dcf09f1c741626480bd4c6162fc5b6a98e1a';
const CONFIG = '01002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e' + '79815500080001000100010003';
const REQUEST = '00034745540568747470730b6578616d706c652e636f6d012f';
const CLIENT_SECRET = 'bc51d5e930bda26589890ac7032f70ad12e4ecb37abb1b65b1256c9c48999c73';
const ENC = '4b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b472';
const INFO = '6d6573736167652f626874747020726571756573740001002000010001';
const ENC_REQUEST =
  '010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad1' +
  '9dec96c208b4726374e469135906992e1268c594d2a10c695d858c40a026e796' +
  '5e7d86b83dd440b2c0185204b4d63525';
const RESPONSE = '0140c8';
const SECRET = '62d87a6ba569ee81014c2641f52bea36';
const RESPONSE_NONCE = 'c789e7151fcba46158ca84b04464910d';
const PRK = '979aaeae066cf211ab407b31ae49767f344e1501e475c84e8aff547cc5a683db';
const AEAD_KEY = '5d0172a080e428b16d298c4ea0db620d';
const AEAD_NONCE = 'f6bf1aeb88d6df87007fa263';
const ENC_RESPONSE = 'c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f' + '857fbd';

const SUITES = [
  { kdfId: 1, aeadId: 1 },
  { kdfId: 1, aeadId: 3 },
] as const;

describe('RFC 9458 appendix A', () => {
  it('KeyConfig.encode() gives the configuration of the gateway, and decode() reads it', async () => {
    const key = await keyOf(0x20, GATEWAY_SECRET, 1, SUITES);
    assert.equal(toHex(KeyConfig.encode(key.config)), CONFIG);
    const config = KeyConfig.decode(fromHex(CONFIG));
    assert.deepEqual(
      { ...config, publicKey: toHex(config.publicKey) },
      {
        keyId: 1,
        kemId: 0x20,
        publicKey: CONFIG.slice(6, 70),
        suites: SUITES,
      },
    );
  });

  it('requestInfo() gives the info parameter', () => {
    assert.equal(toHex(requestInfo(WHOLE_LABELS.request, encodeHeader(1, 0x20, SUITES[0]))), INFO);
  });

  it('a client that reads the list makes the encapsulated request and opens the response', async () => {
    const list = concatBytes(Uint8Array.of(0, CONFIG.length / 2), fromHex(CONFIG));
    const selected = selectSuite(KeyConfigList.decode(list).usable);
    assert.ok(selected !== undefined);
    const client = await prepareEncapsulator(selected.config, selected.suite);
    const { message, response } = await client.encapsulate(fromHex(REQUEST), fixedRandom(CLIENT_SECRET));
    assert.equal(toHex(message), ENC_REQUEST);
    assert.equal(toHex(await response.open(fromHex(ENC_RESPONSE))), RESPONSE);
  });

  it('a gateway opens the request and makes the encapsulated response', async () => {
    const key = await keyOf(0x20, GATEWAY_SECRET, 1, SUITES);
    const received = receiveRequest(fromHex(ENC_REQUEST), (keyId) => (keyId === 1 ? key : undefined));
    assert.equal(received.keyId, 1);
    assert.equal(toHex(received.enc), ENC);
    const { request, response } = await received.open();
    assert.equal(toHex(request), REQUEST);
    assert.equal(toHex(await response.seal(fromHex(RESPONSE), fixedRandom(RESPONSE_NONCE))), ENC_RESPONSE);
  });

  it('deriveResponseKeys() passes through the printed secret, prk, key and nonce', async () => {
    const suite = suiteOf(0x20, 1, 1);
    const privateKey = await importPrivateKey(0x20, fromHex(GATEWAY_SECRET));
    const context = await setupBaseRecipient(suite, privateKey, fromHex(ENC), fromHex(INFO));
    const label = new TextEncoder().encode(WHOLE_LABELS.response);
    const secret = await context.export(label, 16);
    assert.equal(toHex(secret), SECRET);
    const prk = await kdfById(1).extract(fromHex(ENC + RESPONSE_NONCE), secret);
    assert.equal(toHex(prk), PRK);
    assert.equal(toHex(await kdfById(1).expand(prk, new TextEncoder().encode('key'), 16)), AEAD_KEY);
    const keys = await deriveResponseKeys(suite, context, label, fromHex(ENC), fromHex(RESPONSE_NONCE));
    assert.equal(toHex(keys.nonce), AEAD_NONCE);
    const sealed = await keys.key.seal(keys.nonce, new Uint8Array(0), fromHex(RESPONSE));
    assert.equal(RESPONSE_NONCE + toHex(sealed), ENC_RESPONSE);
  });
});
