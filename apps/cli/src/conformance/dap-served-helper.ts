/** The helper of this kit, as it serves leaders: its handler on a loopback listener, over a store that is gone afterwards. */

import { createAggregator, hashToken, PeerError, type TaskRow } from '@privacy-edge/analytics-roles';
import { toBase64Url } from '@privacy-edge/bytes';
import { HpkeConfig, mediaTypeOf, messageNameOf, systemRandom } from '@privacy-edge/dap';
import { exportPrivateKey } from '@privacy-edge/hpke';
import { decodeProblem, PROBLEM_MEDIA_TYPE } from '@privacy-edge/http-fields';
import { serve } from '@privacy-edge/node';
import { openSqliteStore } from '@privacy-edge/sql';
import type { HelperRequest, HelperResponse, HelperSetup, WithHelper } from './dap-helper.ts';

/** How long requests may go on when the transcript is over. */
const GRACE_MS = 1000;

/** Serves it for one task. */
export const withServedHelper: WithHelper = async (setup, use) => {
  const token = toBase64Url(systemRandom(32));
  const store = await openSqliteStore(':memory:');
  try {
    await store.putTask(taskRow(setup, token));
    await store.putHpkeKey({
      configId: setup.key.config.id,
      config: HpkeConfig.encode(setup.key.config),
      privateKey: exportPrivateKey(setup.key.privateKey),
      state: 'active',
      since: setup.now,
    });
    const { pathname } = new URL(setup.task.configuration.helperAggregatorEndpoint);
    const basePath = pathname.replace(/\/$/, '');
    const { handle } = createAggregator(
      { store, clock: () => setup.now.getTime(), random: setup.random, transport: refuse },
      { resourceKey: systemRandom(32), basePath },
    );
    const listener = await serve(handle, { log: () => {} });
    try {
      await use((request) => send(`${listener.url}${basePath}/`, token, setup, request));
    } finally {
      await listener.close(GRACE_MS);
    }
  } finally {
    await store.close();
  }
};

function taskRow({ task, collectorConfig, now }: HelperSetup, token: string): TaskRow {
  const { taskId, version, role, configuration, verifyKey, clockToleranceSeconds } = task;
  return {
    task: {
      taskId,
      version,
      role,
      configuration: configuration.encoded,
      verifyKey,
      collectorConfig: HpkeConfig.encode(collectorConfig),
      clockToleranceSeconds,
    },
    access: {
      peerAuthorization: undefined,
      peerTokenHashes: [hashToken(token)],
      collectorTokenHashes: [],
      peerNames: [],
      collectorNames: [],
    },
    processing: 'synchronous',
    isAdvertised: false,
    rememberedSince: 0,
    createdAt: now,
  };
}

function refuse(): never {
  throw new PeerError('FORBIDDEN_ADDRESS', 'Cannot ask helper: this is one');
}

async function send(
  base: string,
  token: string,
  { task }: HelperSetup,
  { method, path, message, body }: HelperRequest,
): Promise<HelperResponse> {
  const response = await fetch(base + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(message === undefined ? {} : { 'content-type': mediaTypeOf(message) }),
    },
    ...(method === 'GET' ? {} : { body: body.slice() }),
  });
  const received = new Uint8Array(await response.arrayBuffer());
  const contentType = response.headers.get('content-type') ?? undefined;
  return {
    status: response.status,
    message: messageNameOf(contentType),
    location: relativeTo(task.configuration.helperAggregatorEndpoint, response.headers.get('location') ?? undefined),
    problem: contentType?.startsWith(PROBLEM_MEDIA_TYPE) === true ? decodeProblem(received).type : undefined,
    body: received,
  };
}

/** A helper names its resources by the endpoint that everybody knows, not by the listener's. */
function relativeTo(endpoint: string, location: string | undefined): string | undefined {
  const base = endpoint.endsWith('/') ? endpoint : `${endpoint}/`;
  return location?.startsWith(base) ? location.slice(base.length) : location;
}
