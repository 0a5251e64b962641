/** The client: from a measurement to a report. DAP §4.4.2.1. */
import { type Awaitable, andThen } from '@privacy-edge/bytes';
import type { RandomSource } from '@privacy-edge/hpke';
import type { Vdaf } from '@privacy-edge/vdaf';
import { inputShareAad } from './aad.ts';
import { forEachItem } from './each.ts';
import { type Extension, isSorted } from './extension.ts';
import { REPORT_ID_BYTES } from './field.ts';
import type { HpkeConfig } from './hpke-config.ts';
import { PlaintextInputShare } from './plaintext-input-share.ts';
import { ROLE_HELPER, ROLE_LEADER } from './registry.ts';
import type { Report } from './report.ts';
import type { ReportMetadata } from './report-metadata.ts';
import { prepareSealer, type ShareSealer } from './sealing.ts';
import { type Task, taskTime } from './task.ts';
import { inputShareInfo } from './version.ts';

/** Extensions of one report, each list in increasing order, no type twice in what one aggregator sees. */
export interface ReportExtensions {
  /** Everybody on the way sees them. */
  readonly public?: readonly Extension[];
  readonly leader?: readonly Extension[];
  readonly helper?: readonly Extension[];
}

/** Makes reports for one task and the current keys of its aggregators. */
export class ReportMaker<Measurement> {
  readonly task: Task;
  readonly #vdaf: Vdaf<Measurement, unknown>;
  readonly #sealers: readonly [leader: ShareSealer, helper: ShareSealer];

  /** Made by {@link prepareReports}. */
  constructor(task: Task, vdaf: Vdaf<Measurement, unknown>, leader: ShareSealer, helper: ShareSealer) {
    this.task = task;
    this.#vdaf = vdaf;
    this.#sealers = [leader, helper];
  }

  /**
   * Shards a measurement and seals each share to its aggregator.
   *
   * A report that is made again, because a key was outdated, is another report: with another identifier and other shares.
   *
   * @param measurement - secret; what it may be is for the VDAF to say, and to refuse
   * @param now - only its multiple of the task's time precision goes into the report
   * @param random - gives the identifier, the VDAF's randomness and the ephemeral keys
   * @throws {RangeError} for extensions out of order
   * @throws {@link DapError} `CONFIG_UNUSABLE` when a public key leads to no shared secret
   * @see DAP §4.4.2.1
   */
  createReport(
    measurement: Measurement,
    now: Date,
    random: RandomSource,
    extensions: ReportExtensions = {},
  ): Awaitable<Report> {
    const { public: publicExtensions = [], leader = [], helper = [] } = extensions;
    if (![publicExtensions, leader, helper].every(isSorted)) {
      throw new RangeError('Report extensions are in increasing order of their types');
    }
    const reportId = random(REPORT_ID_BYTES).slice();
    const reportMetadata: ReportMetadata = { reportId, time: taskTime(this.task, now), publicExtensions };
    const shards = this.#vdaf.shard(this.task.context, measurement, reportId, random(this.#vdaf.randSize));
    const aad = inputShareAad(this.task, reportMetadata, shards.publicShare);
    const [forLeader, forHelper] = this.#sealers;
    const [leaderShare, helperShare] = shards.inputShares;
    const seal = (sealer: ShareSealer, privateExtensions: readonly Extension[], payload: Uint8Array) =>
      sealer.seal(aad, PlaintextInputShare.encode({ privateExtensions, payload }), random);
    return andThen(seal(forLeader, leader, leaderShare), (leaderEncryptedInputShare) =>
      andThen(seal(forHelper, helper, helperShare), (helperEncryptedInputShare) => ({
        reportMetadata,
        publicShare: shards.publicShare,
        leaderEncryptedInputShare,
        helperEncryptedInputShare,
      })),
    );
  }
}

/**
 * Does once what all reports for the same keys have in common.
 *
 * @param vdaf - for the task's configuration
 * @param leaderConfig - from `selectHpkeConfig`
 * @param helperConfig - from `selectHpkeConfig`
 * @throws {@link DapError} `CONFIG_UNUSABLE`
 */
export function prepareReports<Measurement>(
  task: Task,
  vdaf: Vdaf<Measurement, unknown>,
  leaderConfig: HpkeConfig,
  helperConfig: HpkeConfig,
): Awaitable<ReportMaker<Measurement>> {
  const recipients = [
    { role: ROLE_LEADER, config: leaderConfig },
    { role: ROLE_HELPER, config: helperConfig },
  ] as const;
  const sealers = forEachItem(recipients, ({ role, config }) =>
    prepareSealer(config, inputShareInfo(task.version, role)),
  );
  return andThen(
    sealers,
    ([leader, helper]) => new ReportMaker(task, vdaf, leader as ShareSealer, helper as ShareSealer),
  );
}
