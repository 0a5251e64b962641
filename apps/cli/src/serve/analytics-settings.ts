/** From the words of a configuration to what an aggregator takes. */
import type { AggregatorConfig } from '@privacy-edge/analytics-roles';
import type { AggregatorSection, AnalyticsHelperSection, AnalyticsLeaderSection } from '../config/types.ts';
import { parseDuration, parseSize } from '../config/units.ts';

/** The leader's behaviour. */
export function leaderSettings(section: AnalyticsLeaderSection, resourceKey: Uint8Array): AggregatorConfig {
  const { jobs, helpers, collections } = section;
  return {
    ...commonSettings(section, resourceKey),
    maxReportBytes: parseSize(section.maxReport),
    maxUploadBytes: parseSize(section.maxUpload),
    minJobSize: jobs.minSize,
    maxJobSize: jobs.maxSize,
    maxReportWaitMs: parseDuration(jobs.maxWait),
    ...(jobs.batchSize === undefined ? {} : { targetBatchSize: jobs.batchSize }),
    peerTimeoutMs: parseDuration(helpers.timeout),
    retryMs: [parseDuration(helpers.firstRetry), parseDuration(helpers.longestRetry)],
    maxAttempts: helpers.maxAttempts,
    collectionTimeoutMs: parseDuration(collections.timeout),
    collectionPatienceMs: parseDuration(collections.patience),
  };
}

/** The helper's behaviour. */
export function helperSettings(section: AnalyticsHelperSection, resourceKey: Uint8Array): AggregatorConfig {
  return commonSettings(section, resourceKey);
}

function commonSettings(section: AggregatorSection, resourceKey: Uint8Array): AggregatorConfig {
  const { hpke, retention } = section;
  return {
    resourceKey,
    basePath: section.basePath,
    corsOrigins: section.corsOrigins,
    keyCacheMs: parseDuration(hpke.cache),
    keyLifetimeMs: parseDuration(hpke.lifetime),
    keyOverlapMs: parseDuration(hpke.overlap),
    keyRefreshMs: parseDuration(section.paces.upkeep),
    maxMessageBytes: parseSize(section.maxMessage),
    leaseMs: parseDuration(section.lease),
    retryAfterMs: parseDuration(section.retryAfter),
    keepEndedMs: parseDuration(retention.ended),
    ...(retention.reports === undefined ? {} : { rememberMs: parseDuration(retention.reports) }),
  };
}
