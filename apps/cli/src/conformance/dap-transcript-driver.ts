/** Whole tasks: client, leader, helper and collector, one after the other, each against what is recorded of the others. */
import { HPKE_CONFIG_PATH, systemRandom } from '@privacy-edge/dap';
import { checkHelper, checkLeader, checkReportMessages, expectSuccess } from './dap-aggregation-driver.ts';
import { checkClient } from './dap-client-driver.ts';
import { checkBuckets, checkCollector, checkRelease, checkRequests } from './dap-collection-driver.ts';
import type { WithHelper } from './dap-helper.ts';
import { createParties } from './dap-parties.ts';
import { readTranscript } from './dap-transcript.ts';
import { SAME, type VectorKind } from './kind.ts';
import { expectBytes } from './vector.ts';

/** The check for transcripts, with any helper in the place of the recorded one. */
export function transcriptCheck(withHelper: WithHelper): VectorKind['check'] {
  return async (vector) => {
    const transcript = readTranscript(vector);
    const parties = await createParties(transcript);
    await checkClient(transcript, parties);
    checkReportMessages(transcript);
    const aggregate = checkBuckets(transcript, parties, await checkLeader(transcript, parties));
    checkRequests(transcript, parties, aggregate);
    await checkCollector(transcript, parties);
    const { task, key } = parties.aggregators[1];
    const setup = { task, key, collectorConfig: parties.collectorKey.config, now: parties.now, random: systemRandom };
    await withHelper(setup, async (helper) => {
      const keys = await helper({ method: 'GET', path: HPKE_CONFIG_PATH, body: new Uint8Array(0) });
      expectSuccess("request for the helper's keys", keys, 'hpke-config-list');
      expectBytes("helper's keys", keys.body, transcript.keys.helper.configList);
      await checkHelper(transcript, parties, helper);
      await checkRelease(transcript, parties, aggregate, helper);
    });
    return SAME;
  };
}
