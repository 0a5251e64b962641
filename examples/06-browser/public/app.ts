/** The page: asks through relay and gateway, shows the answer, and who saw what. */
import { chunkedResponse, createObliviousFetch, ObliviousError, type ObliviousFetch } from '@privacy-edge/gateway';

/** What the page was shipped with. */
interface Settings {
  readonly relay: string;
  readonly target: string;
  /** Digest of the gateway's keys: a key of its own for this visitor would not fit. */
  readonly pin: string;
}

/** See `Row` in serve.ts. */
interface Seen {
  readonly rows: readonly {
    readonly fact: string;
    readonly value: string;
    readonly seen: Readonly<Record<'relay' | 'gateway' | 'target', boolean>>;
  }[];
  readonly arrived: Readonly<Record<'relay' | 'gateway' | 'target', readonly string[]>>;
}

const PARTIES = ['relay', 'gateway', 'target'] as const;
const form = element('ask', HTMLFormElement);
const question = element('question', HTMLTextAreaElement);
const answer = element('answer', HTMLElement);
const button = form.querySelector('button');
const settings = (await (await fetch('/settings.json')).json()) as Settings;

/** One client for each way of asking, so that keys are fetched once. */
const clients = new Map<string, ObliviousFetch>();

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const data = new FormData(form);
  void ask(question.value, data.get('delivery') === 'stream', Number(data.get('kem')));
});
// Ctrl-Enter and Command-Enter send, as in most chats.
question.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

async function ask(body: string, stream: boolean, kem: number): Promise<void> {
  show('busy', '');
  if (button !== null) button.disabled = true;
  try {
    const path = stream ? '/ask/stream' : '/ask';
    const response = await clientFor(kem, stream)(settings.target + path, { method: 'POST', body });
    if (!response.ok) throw new TypeError(`The target answered ${response.status}`);
    let text = '';
    for await (const words of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += words;
      show('busy', text);
    }
    show('done', text);
    await showSeen();
  } catch (error) {
    show('failed', error instanceof ObliviousError ? `${error.message} (${error.code}).` : String(error));
  } finally {
    if (button !== null) button.disabled = false;
  }
}

function clientFor(kem: number, stream: boolean): ObliviousFetch {
  const name = `${kem} ${stream}`;
  const known = clients.get(name);
  if (known !== undefined) return known;
  const made = createObliviousFetch({
    relay: settings.relay,
    gateway: settings.target,
    keys: { url: `${settings.relay}/keys`, pin: [settings.pin] },
    preference: (kemId) => kemId === kem,
    ...(stream && { chunked: chunkedResponse }),
  });
  clients.set(name, made);
  return made;
}

function show(state: 'busy' | 'done' | 'failed', text: string): void {
  answer.dataset['state'] = state;
  answer.setAttribute('aria-busy', String(state === 'busy'));
  answer.textContent = text;
}

async function showSeen(): Promise<void> {
  const { rows, arrived } = (await (await fetch('/seen.json')).json()) as Seen;
  element('rows', HTMLElement).replaceChildren(...rows.map(tableRow));
  for (const party of PARTIES) element(`arrived-${party}`, HTMLElement).textContent = arrived[party].join('\n');
  element('seen', HTMLElement).hidden = false;
}

function tableRow({ fact, value, seen }: Seen['rows'][number]): HTMLTableRowElement {
  const head = document.createElement('th');
  head.scope = 'row';
  const example = document.createElement('span');
  example.className = 'value';
  example.textContent = value;
  example.title = value;
  head.append(fact, example);
  const row = document.createElement('tr');
  row.append(
    head,
    ...PARTIES.map((party) => {
      const cell = document.createElement('td');
      cell.className = seen[party] ? 'yes' : 'no';
      cell.textContent = seen[party] ? 'yes' : 'no';
      return cell;
    }),
  );
  return row;
}

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new TypeError(`The page has no ${id}`);
}
