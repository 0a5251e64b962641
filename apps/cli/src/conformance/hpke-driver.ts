/** HPKE vectors, as RFC 9180 and its successors publish them. */
import {
  AEAD_EXPORT_ONLY,
  deriveKeyPair,
  exportPrivateKey,
  HpkeError,
  importPrivateKey,
  importPublicKey,
  KEM_MLKEM768_X25519,
  type PrivateKey,
  type RecipientContext,
  type SenderContext,
  setupBaseRecipient,
  setupBaseSender,
  suiteOf,
} from '@privacy-edge/hpke';
import { SAME, type Verdict } from './kind.ts';
import { expectedRefusal, suiteIds } from './suites.ts';
import { expectBytes, expectFailure, recordedRandom, type Vector, VectorError } from './vector.ts';

const NOTHING = new Uint8Array(0);

/** Checks one vector: keys, encapsulation, every recorded message in both directions, exports. RFC 9180 §A. */
export async function checkHpke(vector: Vector): Promise<Verdict> {
  const ids = suiteIds(vector);
  const refusal = await expectedRefusal(ids);
  if (refusal !== undefined) return refusal;
  const suite = suiteOf(ids.kemId, ids.kdfId, ids.aeadId);
  const privateKey = await checkRecipientKey(vector, ids.kemId);
  const info = vector.hex('info');
  const publicKey = await importPublicKey(ids.kemId, vector.hex('pkRm'));
  const random = recordedRandom(await ephemeralRandomness(vector, ids.kemId));
  const { enc, context: sender } = await setupBaseSender(suite, publicKey, info, random);
  expectBytes('enc', enc, vector.hex('enc'));
  const recipient = await setupBaseRecipient(suite, privateKey, enc, info);
  for (const wanted of vector.vectors('exports')) await checkExport(wanted, sender, recipient);
  if (ids.aeadId === AEAD_EXPORT_ONLY) await checkExportOnly(sender, recipient);
  else await checkMessages(vector, sender, recipient);
  return SAME;
}

async function checkRecipientKey(vector: Vector, kemId: number): Promise<PrivateKey> {
  const imported = await importPrivateKey(kemId, vector.hex('skRm'));
  expectBytes('pkRm computed from skRm', imported.publicKey.bytes, vector.hex('pkRm'));
  if (vector.has('ikmR')) {
    const derived = await deriveKeyPair(kemId, vector.hex('ikmR'));
    expectBytes('skRm derived from ikmR', exportPrivateKey(derived), vector.hex('skRm'));
    expectBytes('pkRm derived from ikmR', derived.publicKey.bytes, vector.hex('pkRm'));
  }
  return imported;
}

/** What the sender draws: the ephemeral private key, or for a KEM with its own randomness that. */
async function ephemeralRandomness(vector: Vector, kemId: number): Promise<Uint8Array> {
  if (kemId === KEM_MLKEM768_X25519) return vector.hex('ikmE');
  const derived = exportPrivateKey(await deriveKeyPair(kemId, vector.hex('ikmE')));
  if (vector.has('skEm')) expectBytes('skEm derived from ikmE', derived, vector.hex('skEm'));
  return derived;
}

async function checkExport(wanted: Vector, sender: SenderContext, recipient: RecipientContext): Promise<void> {
  const context = wanted.hex('exporter_context');
  const value = wanted.hex('exported_value');
  expectBytes('exported value of the sender', await sender.export(context, wanted.integer('L')), value);
  expectBytes('exported value of the recipient', await recipient.export(context, wanted.integer('L')), value);
}

async function checkExportOnly(sender: SenderContext, recipient: RecipientContext): Promise<void> {
  const isExportOnly = (error: unknown): boolean => error instanceof HpkeError && error.code === 'EXPORT_ONLY';
  await expectFailure('sealing with an export-only suite', () => sender.seal(NOTHING, NOTHING), isExportOnly);
  await expectFailure('opening with an export-only suite', () => recipient.open(NOTHING, NOTHING), isExportOnly);
}

async function checkMessages(vector: Vector, sender: SenderContext, recipient: RecipientContext): Promise<void> {
  let sequence = 0;
  for (const [index, message] of vector.vectors('encryptions').entries()) {
    const wanted = message.has('seq') ? message.integer('seq') : index;
    if (wanted < sequence) throw new VectorError('UNREADABLE', 'Cannot read vector: sequence numbers go back');
    // Recorded are a few sequence numbers only; those between are used up by messages of our own.
    for (; sequence < wanted; sequence++) await recipient.open(NOTHING, await sender.seal(NOTHING, NOTHING));
    const aad = message.hex('aad');
    const sealed = await sender.seal(aad, message.hex('pt'));
    expectBytes(`ciphertext ${wanted}`, sealed, message.hex('ct'));
    expectBytes(`plaintext ${wanted}`, await recipient.open(aad, message.hex('ct')), message.hex('pt'));
    sequence++;
  }
}
