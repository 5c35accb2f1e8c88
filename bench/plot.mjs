// The results as a picture: a panel for each level, a bar for each contender, as long as it
// is fast, and a line where nginx is. Light and dark are the reader's choice.
const WIDTH = 760;
const NAMES = 210;
const RATIOS = 64;
const PACES = 94;
const BARS = WIDTH - NAMES - RATIOS - PACES;
const ROW = 22;
const BAR = 14;
const HEAD = 34;
const GAP = 18;
const NOT_A_RIVAL = ['disk', 'answers'];

const STYLE = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; font-variant-numeric: tabular-nums }
  .level { font-weight: 600 }
  .pace { fill: #57606a }
  .bar { fill: #b6bec8 }
  .reference { fill: #d8dee4 }
  .own { fill: #0f766e }
  text.own { font-weight: 600 }
  .one { stroke: #57606a; stroke-dasharray: 2 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .pace { fill: #9da7b3 }
    .bar { fill: #57606a }
    .reference { fill: #3a424c }
    .own { fill: #2dd4bf }
    .one { stroke: #9da7b3 }
  }`;

/** The picture, as SVG. `paceOf` says how fast a contender of a level is. */
export function plot({ levels }, paceOf) {
  let top = 0;
  const panels = levels.map((level) => {
    const panel = panelOf(level, paceOf, top);
    top += HEAD + level.contenders.length * ROW + GAP;
    return panel;
  });
  const title = 'How fast Longhaul and others take files';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}" role="img" aria-labelledby="title what">
<title id="title">${title}</title>
<desc id="what">${escaped(levels.map(inWords).join(' '))}</desc>
<style>${STYLE}
</style>
${panels.join('\n')}
</svg>
`;
}

function panelOf({ title, contenders, ...level }, paceOf, top) {
  const most = Math.max(...contenders.map(({ ratio }) => ratio));
  const one = NAMES + BARS / most;
  const rows = contenders.map((contender, n) => {
    const { name, server, ratio } = contender;
    const y = top + HEAD + n * ROW;
    const own = server === 'longhaul';
    const kind = own ? 'own' : NOT_A_RIVAL.includes(server) ? 'reference' : 'bar';
    const length = Math.max(1, (BARS * ratio) / most);
    const middle = y + BAR - 3;
    return `<text x="${NAMES - 10}" y="${middle}" text-anchor="end"${own ? ' class="own"' : ''}>${escaped(name)}</text>
<rect class="${kind}" x="${NAMES}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2"/>
<text x="${WIDTH - PACES}" y="${middle}" text-anchor="end"${own ? ' class="own"' : ''}>${times(ratio)}</text>
<text class="pace" x="${WIDTH}" y="${middle}" text-anchor="end">${paceOf(level, contender)}</text>`;
  });
  const [from, to] = [top + HEAD - 6, top + HEAD + contenders.length * ROW - 2];
  return `<text class="level" x="0" y="${top + 18}">${escaped(title)}</text>
${rows.join('\n')}
<line class="one" x1="${one.toFixed(1)}" x2="${one.toFixed(1)}" y1="${from}" y2="${to}"/>`;
}

const times = (ratio) => `${ratio < 0.1 ? ratio.toPrecision(1) : ratio.toFixed(2)} ×`;

const inWords = ({ title, contenders }) =>
  `${title}, times as fast as nginx: ${contenders.map(({ name, ratio }) => `${name} ${ratio.toPrecision(2)}`).join('; ')}.`;

const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
