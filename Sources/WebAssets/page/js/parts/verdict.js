// Whether a gain is real, in words and figures.

import { h } from '../dom.js';
import { count, plural, signed } from '../format.js';
import { pill } from '../ui.js';

function probability(p) {
  if (p >= 0.1) return p.toFixed(2);
  if (p >= 0.001) return p.toFixed(3);
  const [digit, power] = p.toExponential(0).split('e-');
  return `${digit} × 10⁻${[...power].map((one) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(one)]).join('')}`;
}

const corrected = ({ adjustedPValue, comparisons }) => (adjustedPValue === undefined ? '' : `; ${probability(adjustedPValue)} corrected for ${comparisons} comparisons`);

const WORDS = { better: ['Better', 'good'], worse: ['Worse', 'bad'], 'no clear difference': ['No clear difference', 'warn'] };
const TESTS = {
  'exact McNemar': 'McNemar\'s exact test', 'exact sign flip': 'an exact test of sign flips', 'paired t': 'the paired t test',
};

/** The comparison of two evaluations on the same rows; `names` are what is compared with what; `isHeldOut`: nothing was chosen by the rows. */
export function verdict(comparison, names = ['the best', 'the baseline'], isHeldOut = false) {
  if (!comparison) return h('p.faint', 'They have no rows in common that both were scored on.');
  const [words, tone] = WORDS[comparison.verdict] ?? [comparison.verdict, ''];
  const { wins, losses } = comparison;
  const same = comparison.count - wins - losses;
  return h('div.verdict-card',
    h('p.verdict-line', pill(words, tone), h('strong', `${signed(comparison.difference)} points`),
      comparison.interval ? h('span.faint', `95 %: ${signed(comparison.interval[0], 1)} to ${signed(comparison.interval[1], 1)}`) : null),
    balance(wins, same, losses),
    h('p', `On the same ${plural(comparison.count, 'row')}, ${names[0]} does better on `, h('strong', count(wins)), ' and worse on ', h('strong', count(losses)), ` than ${names[1]}.`),
    h('p.faint', comparison.verdict === 'no clear difference'
      ? `If both were equally good, chance alone would give a difference this large with probability ${probability(comparison.pValue)} (${TESTS[comparison.method] ?? comparison.method})${corrected(comparison)}. Luck may explain it: score both on more rows.`
      : `If both were equally good, chance alone would give a difference this large with probability ${probability(comparison.pValue)} (${TESTS[comparison.method] ?? comparison.method})${corrected(comparison)}.${isHeldOut ? '' : ' The best of many candidates is partly lucky: a testset tells.'}`));
}

/** Rows that got better, stayed and got worse, as one bar. */
function balance(wins, same, losses) {
  const part = (value, name, sign) => (value ? h('span', { class: `part ${name}`, title: `${count(value)} ${name}`, 'data-share': value }, `${sign}${count(value)}`) : null);
  const bar = h('div.balance', { role: 'img', 'aria-label': `${wins} better, ${same} the same, ${losses} worse` },
    part(wins, 'fixed', '+'), part(same, 'same', ''), part(losses, 'broken', '−'));
  for (const child of bar.children) child.style.flexGrow = child.dataset.share;
  return bar;
}
