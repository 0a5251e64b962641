/** `privacy-edge up`. */
import { CliError, messageOf } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { styled, writeJson, writeNote, writeOut } from '../output.ts';
import { withProgress } from '../progress.ts';
import { columns } from '../table.ts';
import { AnalyticsDeployment } from './analytics-deployment.ts';
import {
  analyticsAsJson,
  analyticsText,
  isAnalyticsGood,
  type ShownAnalytics,
  showAnalytics,
} from './analytics-show.ts';
import { readAthletes } from './athletes.ts';
import { Deployment } from './deployment.ts';
import { compareKnowledge, PARTIES, type Row } from './knowledge.ts';
import { knowledgeTable } from './knowledge-table.ts';
import { createCanaries, factsOf, playScenario, type ScenarioResult } from './scenario.ts';

/** Options of the command. */
export interface UpOptions {
  readonly once?: boolean;
  readonly json?: boolean;
}

/** What was shown of the gateway. */
interface Shown {
  readonly result: ScenarioResult;
  readonly rows: readonly Row[];
}

/** What was shown of everything. */
interface ShownAll {
  readonly gateway: Shown;
  readonly analytics: ShownAnalytics;
}

/** Starts everything, shows who saw what, and stays. */
export async function up(options: UpOptions): Promise<ExitCode> {
  const stop = stopSignal();
  const session: Session = { deployment: undefined, analytics: undefined };
  try {
    if (options.json === true) return await showAsJson(session, stop);
    return await showAndStay(session, stop, options.once === true);
  } catch (error) {
    // Ctrl-C in a terminal reaches the children as well, so a start that is under way fails because of it.
    if (stop.asked() && options.once !== true) return ExitCode.OK;
    throw error;
  } finally {
    await withProgress('Stopping', () => Promise.all([session.deployment?.stop(), session.analytics?.stop()]));
  }
}

/** People of the data set who report; each for three tasks. */
const PEOPLE = 500;

/** What has to be stopped in the end. */
interface Session {
  deployment: Deployment | undefined;
  analytics: AnalyticsDeployment | undefined;
}

async function showAndStay(session: Session, stop: StopSignal, once: boolean): Promise<ExitCode> {
  const shown = await startAndShow(session, stop);
  if (shown === undefined) return once ? ExitCode.FAILED : ExitCode.OK;
  writeOut(`${tableText(shown.gateway)}\n${analyticsText(shown.analytics)}`);
  if (!isGood(shown.gateway) || !isAnalyticsGood(shown.analytics)) return ExitCode.FAILED;
  const { deployment, analytics } = session;
  if (once || deployment === undefined || analytics === undefined) return ExitCode.OK;
  writeOut(urlsText(deployment, analytics));
  const ended = await stop.race(Promise.race([deployment.firstToEnd, analytics.firstToEnd]));
  if (ended === undefined) return ExitCode.OK;
  throw new CliError('FAILED', { what: 'Cannot stay up', why: `${ended} ended by itself`, fix: 'start again' });
}

/** Exactly one document on standard output, whatever happens. */
async function showAsJson(session: Session, stop: StopSignal): Promise<ExitCode> {
  let gateway: Record<string, unknown> = { ok: false, error: 'Stopped by a signal' };
  let analytics: Record<string, unknown> = gateway;
  try {
    const shown = await startAndShow(session, stop);
    if (shown !== undefined) {
      gateway = asJson(shown.gateway);
      analytics = analyticsAsJson(shown.analytics);
    }
  } catch (error) {
    gateway = { ok: false, error: messageOf(error) };
    analytics = gateway;
  }
  writeJson({ products: { gateway, analytics } });
  return gateway['ok'] === true && analytics['ok'] === true ? ExitCode.OK : ExitCode.FAILED;
}

/** Undefined when a signal came first. */
async function startAndShow(session: Session, stop: StopSignal): Promise<ShownAll | undefined> {
  const canaries = createCanaries();
  return withProgress('Starting', async () => {
    session.deployment = await Deployment.start(canaries.answer, canaries.targetHost);
    const gateway = await stop.race(show(session.deployment, canaries));
    if (gateway === undefined) return undefined;
    const people = await readAthletes(PEOPLE);
    session.analytics = await AnalyticsDeployment.start(PEOPLE);
    const analytics = await stop.race(showAnalytics(session.analytics, people));
    return analytics && { gateway, analytics };
  });
}

async function show(deployment: Deployment, canaries: ReturnType<typeof createCanaries>): Promise<Shown> {
  const result = await withProgress('Sending requests', () => playScenario(deployment, canaries));
  const holdings = await withProgress('Looking at what each party got hold of', async () => ({
    relay: await deployment.holdings('relay'),
    gateway: await deployment.holdings('gateway'),
    target: await deployment.holdings('target'),
  }));
  return { result, rows: compareKnowledge(factsOf(canaries, deployment, result), holdings) };
}

function isGood({ rows }: Shown): boolean {
  return rows.every((row) => row.wrong.length === 0);
}

function asJson(shown: Shown): Record<string, unknown> {
  const { result, rows } = shown;
  return {
    ok: isGood(shown),
    request: { ok: true, sealedBytes: result.sealedBytes },
    stream: { ok: true, events: result.streamEvents },
    knowledge: rows.map(({ fact, seen, wrong }) => ({ fact: fact.label, ...seen, ok: wrong.length === 0 })),
  };
}

function tableText(shown: Shown): string {
  const { result, rows } = shown;
  const lines = [
    `${styled('green', '✓')} one request of ${result.sealedBytes} sealed bytes: client → relay → gateway → target\n`,
    `${styled('green', '✓')} one stream, ${result.streamEvents} events, each received before the next was made\n`,
    '\n',
    knowledgeTable(rows, PARTIES),
    '\n',
  ];
  const verdict = isGood(shown)
    ? 'No party could link who with what (looked in received bytes, logs, metrics).\n'
    : `${styled('red', 'A cell is not what it must be; the marked ones are leaks or gaps.')}\n`;
  return lines.join('') + verdict;
}

function urlsText({ urls, rootPath }: Deployment, analytics: AnalyticsDeployment): string {
  const rows = [
    ['relay', urls.relay, `metrics ${urls.relayAdmin}/metrics`],
    ['gateway', urls.gateway, `metrics ${urls.gatewayAdmin}/metrics`],
    ['keys', urls.gatewayKeys, `also ${urls.relayKeys}`],
    ['target', urls.target, 'reachable through the gateway only'],
    ['leader', analytics.url('leader', 'endpointUrl'), `metrics ${analytics.url('leader', 'adminUrl')}/metrics`],
    ['helper', analytics.url('helper', 'endpointUrl'), `metrics ${analytics.url('helper', 'adminUrl')}/metrics`],
    ['privacy', urls.relayNotice, urls.gatewayNotice],
    ['', analytics.url('leader', 'noticeUrl'), analytics.url('helper', 'noticeUrl')],
  ];
  const list = rows.map(([label = '', ...lines]) =>
    columns(
      lines.map((line, i) => [i === 0 ? label.padEnd(7) : ' '.repeat(7), line]),
      '  ',
    ),
  );
  return `
Running, each in its own process:

${list.join('')}
Try it:

  npx privacy-edge gateway fetch ${urls.target}/hello \\
    --relay ${urls.relay} \\
    --keys ${urls.relayKeys} \\
    --cacert ${rootPath} -v

Stop with Ctrl-C.
`;
}

/** Ctrl-C, a terminal that closes, or SIGTERM. */
interface StopSignal {
  asked(): boolean;
  /** The value, or undefined when the signal comes first. */
  race<T>(work: Promise<T>): Promise<T | undefined>;
}

function stopSignal(): StopSignal {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let asked = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      asked += 1;
      // Children end with this process, so leaving at once leaves nothing running.
      if (asked > 1) process.exit(130);
      if (process.stderr.isTTY === true) writeNote('\n');
      resolve(undefined);
    });
  return { asked: () => asked > 0, race: (work) => Promise.race([work, promise]) };
}
