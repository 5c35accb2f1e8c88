import { AT_RISK, BREAK, RATE, SIZE, arrivesWhole, continued, lasts, now, survived } from '../../support/matrix';
import { MiB, expect, state, test } from '../../support/test';
import { sum } from '../../support/wire';

for (const [what, signal] of [
  ['the server is killed (SIGKILL), and started again', 'kill'],
  ['the server is stopped (SIGTERM), as for a new version, and started again', 'stop'],
] as const) {
  test(what, async ({ page, server, wire, uploads, files }) => {
    const source = await files.random('film.mkv', SIZE);
    const line = await wire(RATE);
    await page.goto(line.url);
    await uploads.pick(source);
    await uploads.reaches('film.mkv', BREAK);
    await server[signal]();
    await uploads.expectState('film.mkv', 'waiting');
    const before = sum(line.sent);
    line.rate = Infinity;
    await server.start();
    const clear = now();
    await arrivesWhole(uploads, server, 'film.mkv', source);

    const [durable] = continued(server);
    expect(line.bytes - before, 'only what was not durable is sent again').toBe(SIZE - durable);
    const { resumed, twice } = survived(what, clear, [line]);
    expect(resumed).toBeLessThan(11_000);
    // What was on its way to a server that stopped in good order.
    expect(twice).toBeLessThanOrEqual(signal === 'stop' ? 9 * MiB : AT_RISK);
  });
}

test('the server is frozen (SIGSTOP) for 30 s', async ({ page, server, wire, uploads, files }) => {
  const source = await files.random('film.mkv', SIZE);
  const line = await wire(RATE);
  await page.goto(line.url);
  await uploads.pick(source);
  await uploads.reaches('film.mkv', BREAK);
  server.freeze();
  const frozen = now();
  await uploads.expectState('film.mkv', 'waiting');
  state('noticed after', `${((now() - frozen) / 1000).toFixed(1)} s`);
  expect(now() - frozen).toBeLessThan(15_000);
  await lasts(30_000 - (now() - frozen));
  line.rate = Infinity;
  server.thaw();
  const clear = now();
  await arrivesWhole(uploads, server, 'film.mkv', source);

  const { resumed, twice } = survived('the server is frozen (SIGSTOP) for 30 s', clear, [line]);
  expect(resumed).toBeLessThan(11_000);
  expect(twice).toBeLessThanOrEqual(AT_RISK);
  expect(line.most).toBe(1);
});
