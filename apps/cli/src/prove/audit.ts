/**
 * The knowledge audit of the Gateway. It runs twice: once with roles that write down everything that reaches them, for what a
 * party got hold of; once with the commands that operators run, for what they write, show, keep and have in memory.
 */
import { withProgress } from '../progress.ts';
import { PARTIES, type Party } from '../up/knowledge.ts';
import type { DeploymentOptions, Role } from './deployment.ts';
import { type Holdings, judgeClean, judgeFacts, judgeMarks, type Row, type Traces } from './judge.ts';
import { findInMemory, type Needle, socketAddress } from './memory.ts';
import { messagesOf, playScene, type Scene, TARGET_HOST } from './scene.ts';
import { exactForms, Haystack } from './search.ts';

/** Something that was looked through besides the matrix. */
export interface Check {
  readonly name: 'received' | 'answers' | 'writings' | 'memory' | 'files';
  /** What was looked through. */
  readonly what: string;
  readonly wrong: readonly string[];
  /** Why nothing was looked at. */
  readonly skipped?: string;
}

/** What came out. */
export interface GatewayProof {
  readonly rows: readonly Row[];
  readonly checks: readonly Check[];
}

/** Whether every promise holds. */
export function isProved({ rows, checks }: GatewayProof): boolean {
  return [...rows, ...checks].every(({ wrong }) => wrong.length === 0);
}

/**
 * Runs the audit of the Gateway on loopback, in processes and folders that are gone afterwards.
 *
 * @param signal - ends it before the next step
 * @throws {@link CliError} `FAILED` when requests are not answered as they have to be: then nothing is proved
 * @throws the signal's reason
 */
export async function proveGateway(signal: AbortSignal): Promise<GatewayProof> {
  const received = await withScene('recorded', signal, async (scene) => {
    const holdings = await holdingsOf(scene);
    return { rows: judgeFacts(scene.facts, holdings), marks: checkReceived(scene, holdings), client: scene };
  });
  const left = await withScene('command-line', signal, async (scene) => [
    checkAnswers([received.client, scene]),
    await checkWritings(scene),
    await withProgress('Looking into the memory of each process', () => checkMemory(scene)),
    await checkFiles(scene),
  ]);
  return { rows: received.rows, checks: [received.marks, ...left] };
}

async function withScene<T>(
  roles: DeploymentOptions['roles'],
  signal: AbortSignal,
  look: (scene: Scene) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const what = roles === 'recorded' ? 'Recording what each party gets' : 'Running the roles as operators do';
  const scene = await withProgress(what, () => playScene(roles));
  try {
    signal.throwIfAborted();
    const seen = await look(scene);
    signal.throwIfAborted();
    return seen;
  } finally {
    await scene.deployment.close();
  }
}

async function holdingsOf({ deployment }: Scene): Promise<Holdings> {
  return {
    relay: await deployment.holdings('relay'),
    gateway: await deployment.holdings('gateway'),
    target: await deployment.holdings('target'),
  };
}

function checkReceived({ marks }: Scene, holdings: Holdings): Check {
  const total = PARTIES.reduce((sum, party) => sum + holdings[party].bytes.length, 0);
  return { name: 'received', what: sized('everything received', total), wrong: judgeMarks(marks, holdings) };
}

/** Nothing of what is inside may be in any answer that a client got, as a network or a relay sees it. */
function checkAnswers(scenes: readonly Scene[]): Check {
  const wrong: string[] = [];
  for (const { client, marks } of scenes) {
    for (const { status, fields, body } of client.answers) {
      const answer = new Haystack(Buffer.concat([Buffer.from(JSON.stringify(fields)), body]));
      if (answer.holds(marks.inner)) wrong.push(`an answer with status ${status} HAS content of a request`);
    }
  }
  const count = scenes.reduce((sum, { client }) => sum + client.answers.length, 0);
  return { name: 'answers', what: `${count} answers, as the network sees them`, wrong };
}

/** Lines that must be there, so that looking through writings means something. */
const CONTROLS: Readonly<Record<Role, readonly RegExp[]>> = {
  relay: [/"event":"serving"/, /rate-limited"[^\n]* [1-9]/],
  gateway: [/"event":"serving"/, /outcome="policy"[^\n]* [1-9]/],
};

async function checkWritings(scene: Scene): Promise<Check> {
  const wrong: string[] = [];
  let total = 0;
  for (const role of ['relay', 'gateway'] as const) {
    const writings = await scene.deployment.writings(role);
    total += writings.length;
    if (!CONTROLS[role].every((line) => line.test(writings))) wrong.push(`log or metrics of the ${role} are not there`);
    wrong.push(...judgeClean(new Haystack(Buffer.from(writings)), tracesOf(scene), `what the ${role} writes`));
  }
  return { name: 'writings', what: sized('logs, metrics, health and notices', total), wrong };
}

/** A text that the process must know is looked for too: where it is not found, the search does not work. */
async function checkMemory({ deployment, marks, address }: Scene): Promise<Check> {
  const what = 'memory of the running processes';
  const connection: readonly (readonly [string, readonly Needle[]])[] = [
    ['the address of the client', [...exactForms(address), socketAddress(address)]],
    ['fields of the connection', exactForms(marks.outer)],
  ];
  const forbidden: Readonly<Record<Party, readonly (readonly [string, readonly Needle[]])[]>> = {
    relay: [
      ['content of a request', exactForms(marks.inner)],
      ['the name of the target', exactForms(TARGET_HOST)],
    ],
    gateway: connection,
    target: connection,
  };
  const controls = { relay: new URL(deployment.gatewayUrl).host, gateway: TARGET_HOST, target: TARGET_HOST };
  const wrong: string[] = [];
  for (const party of PARTIES) {
    const needles = new Map([...forbidden[party], [CONTROL, [Buffer.from(controls[party])]] as const]);
    const found = await findInMemory(deployment.pid(party), needles);
    if (found === undefined) return { name: 'memory', what, wrong: [], skipped: 'the system does not show it' };
    if (!found.has(CONTROL)) wrong.push(`memory of the ${party} lacks what it must have`);
    wrong.push(...[...found].filter((name) => name !== CONTROL).map((name) => `memory of the ${party} HAS ${name}`));
  }
  return { name: 'memory', what, wrong };
}

const CONTROL = 'control';

/** Ends the roles; a relay leaves nothing, a gateway its replay window, which tells nobody anything. */
async function checkFiles(scene: Scene): Promise<Check> {
  const { relay, gateway } = await scene.deployment.leftovers();
  const wrong = relay.names.map((name) => `the relay left ${name}`);
  wrong.push(...gateway.names.filter((name) => name !== WINDOW).map((name) => `the gateway left ${name}`));
  if (!gateway.names.includes(WINDOW)) wrong.push('the gateway left no replay window');
  wrong.push(...judgeClean(new Haystack(Buffer.concat([relay.bytes, gateway.bytes])), tracesOf(scene), 'a file'));
  // Not even the encapsulated keys, by which whoever recorded the messages could tell that these were here.
  const keys = messagesOf(scene).map((message) => message.subarray(7, 39));
  if (keys.some((key) => gateway.bytes.includes(key))) wrong.push('a file HAS the encapsulated key of a message');
  return { name: 'files', what: sized('files that the roles leave', relay.bytes.length + gateway.bytes.length), wrong };
}

const WINDOW = 'keys.json.replay';

function tracesOf({ marks, address, client }: Scene): Traces {
  return { marks, address, ports: client.ports };
}

function sized(what: string, bytes: number): string {
  return `${what}, ${Math.ceil(bytes / 1024)} KiB`;
}
