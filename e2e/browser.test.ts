/** The client in a real browser: the page of examples/06-browser, and what its packets look like on the other side. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type Demo, startDemo } from '../examples/06-browser/serve.ts';
import { launchBrowser, skipBrowser } from './lib/browser.ts';

type Client = typeof import('@privacy-edge/gateway');

const BUTTON = { name: 'Ask anonymously' } as const;

describe('oblivious fetch in Chromium', { skip: skipBrowser }, () => {
  let demo: Demo;
  let browser: Browser;
  /** Lets the target say one more word. */
  let sayWord: (() => void) | undefined;
  let hold = false;

  before(async () => {
    demo = await startDemo(0, () => (hold ? new Promise((resolve) => (sayWord = resolve)) : Promise.resolve()));
    browser = await launchBrowser(demo.spkiList);
  });
  after(async () => {
    await browser?.close();
    await demo?.close();
  });

  /** Opens the page in a profile of its own; everything that the browser complains about is an error. */
  async function open(
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(demo.url);
    return { page, complaints };
  }

  async function ask(page: Page, question: string): Promise<string> {
    await page.getByLabel('Your question').fill(question);
    await page.getByRole('button', BUTTON).click();
    await page.locator('#answer[data-state=done]').filter({ hasText: question }).waitFor();
    await page.getByRole('heading', { name: 'Who saw what' }).waitFor();
    return (await page.locator('#answer').textContent()) ?? '';
  }

  /** What reached a party since a moment. */
  function heads(party: string, since: number, method?: string): Demo['evidence']['all'][number]['head'][] {
    const arrived = demo.evidence.all.slice(since).filter((entry) => entry.party === party);
    return arrived.map(({ head }) => head).filter((head) => method === undefined || head.method === method);
  }

  test('a question is answered, and the table says who saw what', async () => {
    const { page, complaints } = await open({ locale: 'de-CH' });
    assert.match(await ask(page, 'What is worse, rain or wind?'), /You ask “What is worse, rain or wind\?”/);
    const rows = await page
      .locator('#rows tr')
      .evaluateAll((found) => found.map((row) => [...row.children].map((cell) => cell.firstChild?.textContent)));
    assert.deepEqual(rows, [
      ['Your address', 'yes', 'no', 'no'],
      ['Your browser', 'yes', 'no', 'no'],
      ['Your languages', 'yes', 'no', 'no'],
      ['The page you are on', 'yes', 'no', 'no'],
      ['Your question', 'no', 'yes', 'yes'],
      ['The answer', 'no', 'yes', 'yes'],
    ]);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test('the gateway gets nothing that a browser sends', async () => {
    const { page } = await open();
    const since = demo.evidence.all.length;
    await ask(page, 'one');
    await page.getByLabel('word by word').check();
    await ask(page, 'two');
    const [whole, chunked] = heads('gateway', since, 'POST');
    assert.deepEqual(
      whole?.fields.map(([name]) => name),
      ['content-type', 'content-length'],
    );
    assert.deepEqual(chunked?.fields, [
      ['content-type', 'message/ohttp-chunked-req'],
      ['incremental', '?1'],
    ]);
    assert.deepEqual(
      heads('gateway', since, 'GET').flatMap(({ fields }) => fields),
      // At most once: the relay has the keys in its cache after the first page.
      heads('gateway', since, 'GET').map(() => ['accept', 'application/ohttp-keys']),
    );
    assert.ok(heads('relay', since).some(({ fields }) => fields.some(([name]) => name === 'user-agent')));
    await page.context().close();
  });

  test('a streamed answer is shown word by word, each before the next is said', async () => {
    const { page, complaints } = await open();
    await page.getByLabel('word by word').check();
    await page.getByLabel('Your question').fill('slowly');
    hold = true;
    try {
      await page.getByRole('button', BUTTON).click();
      for (const said of ['You ', 'You ask ', 'You ask “slowly”. ']) {
        await page.locator(`#answer[data-state=busy]`, { hasText: new RegExp(`^${said.trim()}\\s*$`) }).waitFor();
        sayWord?.();
      }
    } finally {
      hold = false;
      sayWord?.();
    }
    await page.locator('#answer[data-state=done]').waitFor();
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test('X-Wing works, and its code is loaded when it is wanted', async () => {
    const { page, complaints } = await open();
    const scripts = (): Promise<string[]> =>
      page.evaluate(() =>
        performance.getEntriesByType('resource').flatMap(({ name }) => (name.endsWith('.js') ? [name] : [])),
      );
    await ask(page, 'with X25519');
    const before = await scripts();
    await page.getByLabel('X-Wing').check();
    await ask(page, 'with X-Wing');
    assert.equal(demo.evidence.parties.relay.content[0]?.readUInt16BE(1), 0x647a);
    const added = (await scripts()).filter((name) => !before.includes(name));
    assert.ok(
      added.some((name) => name.includes('ml-kem')),
      `loaded for X-Wing: ${added.join()}`,
    );
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test('one preflight is enough for many requests', async () => {
    const { page } = await open();
    const since = demo.evidence.all.length;
    for (const question of ['first', 'second', 'third']) await ask(page, question);
    assert.equal(heads('relay', since, 'POST').length, 3);
    assert.equal(heads('relay', since, 'OPTIONS').length, 1);
    await page.context().close();
  });

  test('cookies and referrers stay at home', async () => {
    const { page } = await open();
    const cookie = {
      name: 'who',
      value: 'me-cookie',
      domain: 'localhost',
      path: '/',
      secure: true,
      sameSite: 'None',
    } as const;
    await page.context().addCookies([cookie]);
    const since = demo.evidence.all.length;
    await ask(page, 'do you know me?');
    await page.getByLabel('word by word').check();
    await ask(page, 'and now?');
    const names = heads('relay', since).flatMap(({ fields }) => fields.map(([name]) => name));
    assert.ok(names.length > 20);
    for (const name of ['cookie', 'authorization', 'referer']) assert.equal(names.includes(name), false, name);
    // Had it been asked to, the browser would have sent the cookie there.
    const control = demo.evidence.all.length;
    await page.evaluate(async (url) => {
      await fetch(url, { credentials: 'include' }).catch(() => {});
    }, `${demo.parties.relay}/keys`);
    assert.match(JSON.stringify(heads('relay', control, 'GET')), /me-cookie/);
    await page.context().close();
  });

  test('the page is usable by keyboard, named for screen readers, and readable in both colour schemes', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await open({ colorScheme });
      const reached: string[] = [];
      for (let i = 0; i < 4; i++) {
        await page.keyboard.press('Tab');
        reached.push(await page.evaluate(FOCUSED));
      }
      assert.deepEqual(reached, ['question outlined', 'delivery outlined', 'kem outlined', 'submit outlined']);
      await page.getByRole('group', { name: 'The answer arrives' }).getByRole('radio', { name: 'at once' }).waitFor();
      await page.getByLabel('Your question').fill('by keyboard');
      await page.keyboard.press('Control+Enter');
      await page.getByRole('status').filter({ hasText: 'by keyboard' }).waitFor();
      await page.getByRole('rowheader', { name: /^Your question/ }).waitFor();
      const poor = await page.evaluate(POOR_CONTRAST);
      assert.deepEqual(poor, [], `${colorScheme}: contrast below 4.5`);
      await page.context().close();
    }
  });

  describe('as a library on the page', () => {
    let context: BrowserContext;
    let page: Page;
    let impostor: Server;

    before(async () => {
      // The page's own policy forbids other relays, so these tests run without it.
      ({ page } = await open({ bypassCSP: true }));
      context = page.context();
      impostor = createServer((request, response) => {
        response.setHeader('access-control-allow-origin', '*');
        response.setHeader('access-control-allow-headers', '*');
        if (request.method === 'OPTIONS') response.writeHead(204).end();
        else response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in to the hotel network</h1>');
      }).listen(0, '127.0.0.1');
      await once(impostor, 'listening');
    });
    after(async () => {
      impostor?.closeAllConnections();
      impostor?.close();
      await context?.close();
    });

    /** Makes one request on the page. */
    function request(options: {
      readonly relay: string;
      readonly pin?: string;
      readonly pieces?: readonly string[];
    }): Promise<{ readonly text?: string; readonly error?: string; readonly isTypeError?: boolean }> {
      const { relay, parties } = { relay: options.relay, parties: demo.parties };
      return page.evaluate(
        async ({ client, relay, keys, target, pin, pieces }) => {
          const { createObliviousFetch, interactive } = (await import(client)) as Client;
          const obliviousFetch = createObliviousFetch({
            relay,
            keys: { url: keys, ...(pin !== undefined && { pin: [pin] }) },
            ...(pieces !== undefined && { chunked: interactive }),
          });
          const stream = new ReadableStream<Uint8Array>({
            start(controller) {
              for (const piece of pieces ?? []) controller.enqueue(new TextEncoder().encode(piece));
              controller.close();
            },
          });
          try {
            const body = pieces === undefined ? 'whole' : stream;
            const response = await obliviousFetch(`${target}/ask`, { method: 'POST', body });
            return { text: await response.text() };
          } catch (error) {
            const { name, code } = error as { name: string; code?: string };
            return { error: `${name} ${code}`, isTypeError: error instanceof TypeError };
          }
        },
        {
          client: '/client.js',
          relay,
          keys: `${parties.relay}/keys`,
          target: parties.target,
          pin: options.pin,
          pieces: options.pieces,
        },
      );
    }

    test('keys that are not pinned are refused with a typed error', async () => {
      const pin = `sha256-${Buffer.alloc(32).toString('base64')}`;
      const since = demo.evidence.all.length;
      const refused = await request({ relay: demo.parties.relay, pin });
      assert.deepEqual(refused, { error: 'ObliviousError KEYS_REFUSED', isTypeError: true });
      assert.deepEqual(heads('relay', since, 'POST'), []);
    });

    test('a 200 in clear is not taken for an answer', async () => {
      const { port } = impostor.address() as AddressInfo;
      const refused = await request({ relay: `http://127.0.0.1:${port}/demo` });
      assert.deepEqual(refused, { error: 'ObliviousError UNENCAPSULATED', isTypeError: true });
    });

    test('a relay that is not there is a typed error', async () => {
      const refused = await request({ relay: 'https://127.0.0.1:9/demo' });
      assert.deepEqual(refused, { error: 'ObliviousError RELAY_UNREACHABLE', isTypeError: true });
    });

    test('a resource that the relay does not have is a typed error', async () => {
      const refused = await request({ relay: `${demo.parties.relay}-other` });
      assert.deepEqual(refused, { error: 'ObliviousError RELAY_STATUS', isTypeError: true });
    });

    test('a request body that is a stream is sent as it is produced', async () => {
      const answered = await request({ relay: demo.parties.relay, pieces: ['to be ', 'or ', 'not to be'] });
      assert.match(answered.text ?? JSON.stringify(answered), /You ask “to be or not to be”/);
    });
  });

  test('no script of the page asks for anything of Node', async () => {
    const { page } = await open();
    const names = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    const scripts = names.filter((name) => name.endsWith('.js'));
    assert.ok(scripts.length >= 2);
    for (const url of scripts) {
      const code = await (await page.request.get(url, { ignoreHTTPSErrors: true })).text();
      assert.doesNotMatch(code, /["'`]node:|\brequire\(|\bprocess\.|\bBuffer\./, url);
    }
    await page.context().close();
  });
});

/** Which control has the focus, and whether it shows. */
const FOCUSED = `(() => {
  const focused = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(focused);
  const shown = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  return (focused.name || focused.type) + (shown ? ' outlined' : ' not outlined');
})()`;

/** Elements with text of their own whose contrast is below what WCAG 2.2 AA asks of normal text. */
const POOR_CONTRAST = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [r, g, b] = rgba(color).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgba(color)[3] > 0) return color;
    }
    return 'white';
  };
  return [...document.querySelectorAll('main *')].filter((element) => {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')) return false;
    if (!element.checkVisibility() || element.disabled) return false;
    const [low, high] = [luminance(getComputedStyle(element).color), luminance(background(element))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05) < 4.5;
  }).map((element) => element.tagName + ' ' + element.textContent.slice(0, 30));
})()`;
