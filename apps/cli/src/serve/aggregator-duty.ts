/** What a leader or a helper starts from, and what it takes up later: its tasks. */
import { resolve } from 'node:path';
import { systemClock } from '@privacy-edge/node';
import type { Environment } from '../config/environment.ts';
import type {
  AggregatorSection,
  AggregatorSectionName,
  AnalyticsHelperSection,
  AnalyticsLeaderSection,
} from '../config/types.ts';
import { parseDuration } from '../config/units.ts';
import { readAggregatorSecrets } from './analytics-secrets.ts';
import { type FoundTask, readTasks, signatureOf, type TaskTerms } from './analytics-tasks.ts';
import { type Duty, type OwnSection, readRoots } from './duty.ts';

/** Of a leader or a helper: its tasks. */
export function aggregatorDuty(role: AggregatorSectionName, environment: Environment): Duty {
  let folder = '';
  let terms: Omit<TaskTerms, 'now'> | undefined;
  let signature = '';
  const name = role === 'analyticsLeader' ? 'leader' : 'helper';
  const read = async (): Promise<readonly FoundTask[]> => {
    if (terms === undefined) return [];
    // Before the documents, so that one that is put there meanwhile is seen next time.
    signature = await signatureOf(folder);
    return readTasks(folder, { ...terms, now: new Date(systemClock()) });
  };
  const readSection = async (section: OwnSection): Promise<readonly FoundTask[]> => {
    const settings = section.settings as AggregatorSection;
    folder = resolve(section.folder, settings.tasksFolder);
    const processing = 'processing' in section.settings ? section.settings.processing : 'synchronous';
    terms = {
      role: name,
      processing,
      clockToleranceSeconds: Math.floor(parseDuration(settings.clockTolerance) / 1000),
    };
    return read();
  };
  return {
    reloadable: ['tasksFolder', ...(role === 'analyticsHelper' ? ['processing'] : []), 'clockTolerance'],
    prepare: async (section, port, certificate) => {
      const settings = section.settings as AggregatorSection;
      const { sqliteFile } = settings.storage;
      const common = {
        place: { port, reusePort: settings.sharePort || settings.workers > 1, certificate },
        secrets: await readAggregatorSecrets(role, settings, section.folder, environment),
        sqliteFile: sqliteFile === undefined ? undefined : resolve(section.folder, sqliteFile),
        tasks: await readSection(section),
        extraRoots: await readRoots(settings.caFile, section.folder),
      };
      return role === 'analyticsLeader'
        ? { ...common, role, section: settings as AnalyticsLeaderSection }
        : { ...common, role, section: settings as AnalyticsHelperSection };
    },
    reload: async (_before, after) => [{ kind: 'tasks', tasks: await readSection(after) }],
    upkeep: async () => {
      if (terms === undefined || (await signatureOf(folder)) === signature) return [];
      return [{ kind: 'tasks', tasks: await read() }];
    },
    afterDrain: async () => undefined,
    urls: (section, url) => ({ endpointUrl: url + (section.settings as AggregatorSection).basePath }),
  };
}
