// Small parts that every view uses: buttons, pills, tabs, dialogs, messages.

import { append, h, icon, replace } from './dom.js';
import { visible } from './text.js';

export function button(label, onClick, { kind = '', iconName, title, ...props } = {}) {
  return h('button', { class: kind, onClick, title, ...props }, iconName ? icon(iconName) : null, label ? h('span', label) : null);
}

export function iconButton(label, name, onClick, props = {}) {
  return h('button.quiet', { 'aria-label': label, title: label, onClick, ...props }, icon(name));
}

/** Copies a text (or what a function gives) and says so on the button itself. */
export function copyButton(text, label = 'Copy') {
  const element = button(label, async () => {
    const words = typeof text === 'function' ? text() : text;
    let done = true;
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      done = copyOldWay(words);
    }
    element.classList.toggle('done', done);
    element.querySelector('span').textContent = done ? 'Copied' : 'Press Ctrl-C';
    setTimeout(() => {
      element.classList.remove('done');
      element.querySelector('span').textContent = label;
    }, 1600);
  }, { kind: 'small copy', iconName: 'copy' });
  return element;
}

/** For pages that are not on a trusted origin, where the clipboard's own interface is missing. */
function copyOldWay(words) {
  const area = h('textarea.offscreen', { 'aria-hidden': 'true' });
  area.value = words;
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

export function toast(words, undo) {
  const element = h('div.toast', h('span', visible(words)));
  if (undo) append(element, h('button.link', { onClick: () => { element.remove(); undo(); } }, 'Undo'));
  document.getElementById('toasts').append(element);
  setTimeout(() => element.remove(), undo ? 9000 : 4000);
}

/** An error with what to do about it. */
export function problem(error, retry, heading = 'h2') {
  return h('div.problem', { role: 'alert' },
    h(heading, error.kind === 'notFound' ? 'Not found' : 'Something went wrong'),
    h('p', visible(error.message)),
    error.problems?.length > 1 ? h('ul', error.problems.map((p) => h('li', visible(`${p.path}: ${p.message}`)))) : null,
    error.remedy ? h('p', visible(error.remedy)) : null,
    retry ? button('Try again', retry) : null);
}

export function empty(title, ...children) {
  return h('div.empty', h('h2', title), children);
}

export function loading(words = 'Loading…') {
  return h('p.loading', { role: 'status' }, words);
}

export function pill(words, tone = '') {
  return h('span', { class: `pill ${tone}` }, words);
}

/** A link between choices that look like one control; `choices` are `[value, words]`. */
export function segments(label, choices, value, onChange) {
  const group = h('div.segments', { role: 'group', 'aria-label': label });
  const draw = () => replace(group, choices.map(([key, words]) => h('button', {
    'aria-pressed': String(key === value),
    onClick: () => {
      if (key === value) return;
      value = key;
      draw();
      group.querySelector('[aria-pressed=true]').focus();
      onChange(key);
    },
  }, words)));
  draw();
  return group;
}

/** Tabs whose panels are made when first shown. `tabs` are `[key, words, make]`; make(panel) fills the panel. */
export function tabs(label, list, current, onChange) {
  const panel = h('div.tab-panel', { role: 'tabpanel', tabindex: '-1' });
  const bar = h('div.tabs', { role: 'tablist', 'aria-label': label });
  const made = new Map();
  const show = (key, isMoved) => {
    const [, , make] = list.find(([name]) => name === key) ?? list[0];
    for (const tab of bar.children) {
      const isOn = tab.dataset.key === key;
      tab.setAttribute('aria-selected', String(isOn));
      tab.tabIndex = isOn ? 0 : -1;
      if (isOn) panel.setAttribute('aria-labelledby', tab.id);
      if (isOn && bar.isConnected) tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
    if (!made.has(key)) {
      const content = h('div');
      made.set(key, content);
      Promise.resolve(make(content)).catch((error) => {
        if (error.name !== 'AbortError') replace(content, problem(error));
      });
    }
    replace(panel, made.get(key));
    if (isMoved) onChange?.(key);
    else requestAnimationFrame(() => bar.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }));
  };
  for (const [key, words] of list) {
    bar.append(h('button', {
      role: 'tab', id: `tab-${key}`, 'data-key': key, onClick: () => show(key, true),
      onKeydown: (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const keys = list.map(([name]) => name);
        const next = keys[(keys.indexOf(key) + step + keys.length) % keys.length];
        show(next, true);
        bar.querySelector('[aria-selected=true]').focus();
        event.preventDefault();
      },
    }, words));
  }
  show(list.some(([key]) => key === current) ? current : list[0][0], false);
  return h('div', bar, panel);
}

/** A dialog; `build(close)` gives its content. Resolves with what `close` is called with. */
export function dialog(title, build) {
  return new Promise((resolve) => {
    const element = h('dialog', { 'aria-labelledby': 'dialog-title' });
    const close = (value) => { element.close(); element.remove(); resolve(value); };
    append(element,
      h('div.dialog-head', h('h2', { id: 'dialog-title' }, title), iconButton('Close', 'close', () => close())),
      build(close));
    element.addEventListener('cancel', (event) => { event.preventDefault(); close(); });
    element.addEventListener('click', (event) => { if (event.target === element) close(); });
    document.body.append(element);
    element.showModal();
  });
}

/** Asks for one text; resolves with it, or with undefined. */
export function ask(title, { label, value = '', long = false, action = 'Save', help } = {}) {
  return dialog(title, (close) => {
    const field = long ? h('textarea', { rows: 8, value }) : h('input', { type: 'text', value });
    field.id = 'dialog-field';
    field.autofocus = true;
    return h('form', { onSubmit: (event) => { event.preventDefault(); close(field.value); } },
      h('label', { for: 'dialog-field' }, label), field, help ? h('p.help', help) : null,
      h('div.dialog-foot', button('Cancel', () => close()), h('button.primary', { type: 'submit' }, action)));
  });
}

/** A term and what it is, in a row of such. */
export function fact(term, ...value) {
  return h('div.fact', h('dt', term), h('dd', value));
}
