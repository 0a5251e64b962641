/** Keys for input shares. */
import type { HpkeKeyRow, HpkeKeyState } from '@privacy-edge/analytics-roles';
import type { OperationContext } from '../engine.ts';
import { type Operation, query, touches } from '../operation.ts';
import { bytesOf, dateOf, integerOf, wordOf } from './columns.ts';
import { placeOf } from './place.ts';

/** See the port. */
export function* putHpkeKey({ secrets }: OperationContext, row: HpkeKeyRow): Operation<boolean> {
  return yield* touches(
    `INSERT INTO hpke_keys (config_id, hpke_config, private_key, state, since)
      VALUES (:config_id, :hpke_config, :private_key, :state, :since)
      ON CONFLICT (config_id) DO NOTHING @returning(config_id)`,
    {
      config_id: row.configId,
      hpke_config: row.config,
      private_key: secrets.seal(row.privateKey, keyPlace(row.configId)),
      state: row.state,
      since: row.since.getTime(),
    },
  );
}

/** See the port. */
export function* readHpkeKeys({ secrets }: OperationContext): Operation<readonly HpkeKeyRow[]> {
  const rows = yield* query('SELECT * FROM hpke_keys ORDER BY since DESC, config_id');
  return rows.map((row) => {
    const configId = integerOf(row, 'config_id');
    return {
      configId,
      config: bytesOf(row, 'hpke_config'),
      privateKey: secrets.open(bytesOf(row, 'private_key'), keyPlace(configId)),
      state: wordOf(row, 'state', ['pending', 'active', 'expired']),
      since: dateOf(row, 'since'),
    };
  });
}

/** See the port. */
export function* moveHpkeKey(
  _context: OperationContext,
  configId: number,
  from: HpkeKeyState,
  to: HpkeKeyState,
  since: Date,
): Operation<boolean> {
  return yield* touches(
    `UPDATE hpke_keys SET state = :to_state, since = :since WHERE config_id = :config_id AND state = :from_state
      @returning(config_id)`,
    { config_id: configId, from_state: from, to_state: to, since: since.getTime() },
  );
}

/** See the port. */
export function* deleteHpkeKey(_context: OperationContext, configId: number): Operation<boolean> {
  return yield* touches(
    "DELETE FROM hpke_keys WHERE config_id = :config_id AND state = 'expired' @returning(config_id)",
    {
      config_id: configId,
    },
  );
}

function keyPlace(configId: number): Uint8Array {
  return placeOf('hpke_keys', 'private_key', Uint8Array.of(configId));
}
