// The page's beginning: theme, shortcuts, connection, and which address leads to which view.

import { h, icon, replace } from './dom.js';
import { remember, remembered } from './prefs.js';
import { follow } from './router.js';
import { onReach } from './rpc.js';
import { dialog } from './ui.js';
import { showCompare } from './views/compare.js';
import { showExperiment } from './views/experiment.js';
import { showExperiments } from './views/experiments.js';
import { showRun } from './views/run.js';
import { showTrace } from './views/trace.js';

const THEMES = ['auto', 'light', 'dark'];
const WORDS = { auto: 'system', light: 'light', dark: 'dark' };
const SIGNS = { auto: 'auto', light: 'sun', dark: 'moon' };

function applyTheme(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const toggle = document.getElementById('theme');
  toggle.setAttribute('aria-label', `Colours: ${WORDS[theme]}`);
  toggle.title = `Colours: ${WORDS[theme]}`;
  replace(toggle, icon(SIGNS[theme]));
}

let theme = remembered('theme', 'auto');
if (!THEMES.includes(theme)) theme = 'auto';
applyTheme(theme);
document.getElementById('theme').addEventListener('click', () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  remember('theme', theme);
  applyTheme(theme);
});

const KEYS = [
  ['/', 'search or filter'], ['↑ ↓', 'move between rows, spans and cells'], ['→ ←', 'expand and collapse a row'],
  ['Enter', 'open the row'], ['x', 'select the row, to compare or delete'], ['e', 'go to the next span with an error'],
  ['z', 'zoom to the span'], ['Esc', 'zoom out, or close'],
  ['g h', 'all experiments'], ['?', 'this list'],
];

function showKeys() {
  if (document.querySelector('dialog[open]')) return;
  dialog('Keyboard', () => h('dl.keys', KEYS.map(([key, words]) => h('div', h('dt', h('kbd', key)), h('dd', words)))));
}

document.getElementById('keys').addEventListener('click', showKeys);

let prefix = '';
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest('input, textarea, select, [contenteditable]')) return;
  if (event.key === '?') showKeys();
  if (event.key === '/') {
    const field = document.querySelector('main [data-search]');
    if (field) { field.focus(); event.preventDefault(); }
  }
  if (prefix === 'g' && event.key === 'h') location.hash = '#/';
  prefix = event.key;
});

onReach((is) => {
  const sign = document.getElementById('connection');
  if (sign.classList.contains('lost') === !is) return;
  sign.classList.toggle('lost', !is);
  sign.textContent = is ? '' : 'Not connected; retrying';
});

follow(document.getElementById('main'), [
  ['', showExperiments],
  ['experiments', showExperiment],
  ['runs', showRun],
  ['traces', showTrace],
  ['compare', showCompare],
]);

// What was asked for a view that has been left meanwhile is nobody's fault.
window.addEventListener('unhandledrejection', (event) => {
  if (event.reason?.name === 'AbortError') event.preventDefault();
});
